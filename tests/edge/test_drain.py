from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from starlette.types import Message

from emoji_gallery.edge import drain as module
from emoji_gallery.edge.drain import drain


@dataclass
class Endless:
    """A client that never stops sending."""

    pause: float = 0
    sent: int = 0

    async def __call__(self) -> Message:
        await asyncio.sleep(self.pause)
        self.sent += 1000
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}


async def test_an_endless_body_is_read_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 10_000)
    client = Endless()

    await drain({"type": "http", "headers": []}, client)

    assert client.sent == 10_000


async def test_a_slow_body_is_read_for_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SECONDS", 0.05)
    client = Endless(pause=30)

    await drain({"type": "http", "headers": []}, client)

    assert client.sent == 0
