"""Uploads files as a client would, and waits for what becomes of them."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import httpx

from tests.corpus.judge import Outcome
from tests.corpus.manifest import Case

_POLL_SECONDS = 0.1
_GIVE_UP_SECONDS = 30.0


async def upload(client: httpx.AsyncClient, case: Case) -> Outcome:
    """Post a file and follow it until it is ready, rejected or refused."""
    started = monotonic()
    content = await asyncio.to_thread(case.path.read_bytes)
    answer = await client.post(
        "/emoji/", files={"file": (case.path.name, content)}, headers={"Prefer": "wait=10"}
    )
    body: dict[str, Any] = answer.json()
    if not answer.is_success:
        return Outcome(
            status=answer.status_code,
            state="refused",
            code=str(body.get("code")),
            reason=str(body.get("reason", "")),
            seconds=monotonic() - started,
        )
    emoji = await _final(client, body, started)
    seconds = monotonic() - started
    served, types = await _renditions(client, emoji)
    return Outcome(
        status=answer.status_code,
        state=str(emoji["status"]),
        code="",
        reason=str(emoji.get("reason") or ""),
        seconds=seconds,
        served=served,
        served_types=types,
    )


async def _final(
    client: httpx.AsyncClient, emoji: dict[str, Any], started: float
) -> dict[str, Any]:
    while emoji["status"] == "processing" and monotonic() - started < _GIVE_UP_SECONDS:
        await asyncio.sleep(_POLL_SECONDS)
        emoji = (await client.get(f"/emoji/{emoji['id']}")).json()
    return emoji


async def _renditions(
    client: httpx.AsyncClient, emoji: dict[str, Any]
) -> tuple[dict[str, bytes], dict[str, str]]:
    served: dict[str, bytes] = {}
    types: dict[str, str] = {}
    listed = emoji.get("renditions") or {}
    for name in sorted(set(listed) & {"64.webp", "128.webp", "512.webp"}):
        answer = await client.get(listed[name]["url"])
        answer.raise_for_status()
        served[name], types[name] = answer.content, answer.headers["content-type"]
    return served, types
