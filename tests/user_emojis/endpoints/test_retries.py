from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.user_emojis import pictures
from tests.user_emojis.world import ALICE, BOB, World

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def upload(
    world: World, content: bytes, key: str, *, file_name: str = "cat.png", **fields: Any
) -> httpx.Response:
    """An upload under a key; httpx makes another boundary for each."""
    async with world.client() as client:
        return await client.post(
            "/emoji/",
            files={"file": (file_name, content)},
            data=fields,
            headers={"Idempotency-Key": key},
        )


async def test_a_retry_gets_the_first_answer_whatever_its_boundary(world: World) -> None:
    content = pictures.png()
    first = await upload(world, content, "k1", name="Tom")
    async with world.client() as client:
        await client.delete(f"/emoji/{first.json()['id']}")
    again = await upload(world, content, "k1", name="Tom")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Cache-Control"] == "private, no-store"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await world.used() == 0


@pytest.mark.parametrize("change", ["content", "name", "tags", "file_name"])
async def test_another_payload_under_the_same_key_is_refused(world: World, change: str) -> None:
    content = pictures.png()
    assert (await upload(world, content, "k1")).status_code == 201
    other: dict[str, Any] = {"name": "Tom", "tags": ["a"], "file_name": "dog.png"}
    fields = {name: value for name, value in other.items() if name == change}
    sent = pictures.png() if change == "content" else content
    answer = await upload(world, sent, "k1", **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert await world.used() == 1


async def test_keys_belong_to_their_users(world: World) -> None:
    content = pictures.png()
    first = await upload(world, content, "k1")
    async with world.client(BOB) as client:
        theirs = await client.post(
            "/emoji/", files={"file": ("cat.png", content)}, headers={"Idempotency-Key": "k1"}
        )
    assert theirs.status_code == 201
    assert theirs.json()["id"] != first.json()["id"]


async def test_of_retries_at_once_one_works_and_the_others_are_told_to_wait(world: World) -> None:
    content = pictures.png()
    answers = await asyncio.gather(*(upload(world, content, "k1") for _ in range(8)))
    told = Counter(answer.status_code for answer in answers)
    assert told[201] >= 1
    assert told[201] + told[409] == 8
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes <= {"idempotency_in_flight"}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert await world.used() == 1


@pytest.mark.parametrize("fields", [{"name": ""}, {"tags": ["x" * 33]}, {}])
async def test_a_refusal_of_the_payload_is_repeated_and_keeps_the_key(
    world: World, fields: dict[str, Any]
) -> None:
    bomb = pictures.png_claiming(40_000, 40_000)
    first = await upload(world, bomb, "k1", **fields)
    again = await upload(world, bomb, "k1", **fields)
    assert (first.status_code, again.status_code) == (422, 422)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await upload(world, pictures.png(), "k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_any_other_refusal_frees_the_key(world: World) -> None:
    for content, status in ((b"hello", 415), (b"GIF89a" + b"x" * 11_000_000, 413)):
        assert (await upload(world, content, "k1")).status_code == status
    kept = [await world.keep(pictures.png()) for _ in range(5)]
    content = pictures.png()
    assert (await upload(world, content, "k1")).status_code == 403
    async with world.client() as client:
        await client.delete(f"/emoji/{kept[0]}")
    assert (await upload(world, content, "k1")).status_code == 201


async def test_a_duplicate_is_repeated_as_a_duplicate(world: World) -> None:
    content = pictures.png()
    await world.keep(content)
    first = await upload(world, content, "k1")
    again = await upload(world, content, "k1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content


@pytest.mark.parametrize("key", ["", "ke y", "\u00fc", "x" * 256])
async def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    async with world.client() as client:
        answer = await client.post(
            "/emoji/",
            files={"file": ("cat.png", pictures.png())},
            headers=[(b"Idempotency-Key", key.encode())],
        )
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert await world.used() == 0


async def test_a_restoration_is_repeated(world: World) -> None:
    emoji_id = await world.keep(pictures.png())
    async with world.client() as client:
        await client.delete(f"/emoji/{emoji_id}")
        headers = {"Idempotency-Key": "k1"}
        first = await client.post(f"/emoji/{emoji_id}/restore", headers=headers)
        await client.delete(f"/emoji/{emoji_id}")
        again = await client.post(f"/emoji/{emoji_id}/restore", headers=headers)
        fresh = await client.post(f"/emoji/{emoji_id}/restore", headers={"Idempotency-Key": "k2"})
    assert (first.status_code, again.status_code, fresh.status_code) == (200, 200, 200)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await world.used(ALICE) == 1
