from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from obstore.store import MemoryStore
from typing_extensions import override

from emoji_gallery.contracts.identity import UserData
from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.user_emojis.service.process import ProcessEmoji
from tests.user_emojis import pictures
from tests.user_emojis.world import ALICE, BOB, World, uuid_of
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def kept(world: World) -> UserData:
    (part,) = world.feature.user_data
    return part


async def rows_of(world: World, user: str) -> int:
    """How many rows of any table name a user."""
    tables = ("emojis", "quotas", "idempotency")
    counts = [
        await world.run(
            f"SELECT count(*) FROM user_emojis.{table} WHERE owner_id = :user",  # noqa: S608
            user=user,
        )
        for table in tables
    ]
    return sum(row[0] for rows in counts for row in rows)


class StubbornStore(ObjectStore):
    """A storage that removes nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), timeout=timedelta(seconds=10))
        self.is_stubborn = True

    @override
    async def delete(self, keys: Sequence[str]) -> None:
        if self.is_stubborn:
            raise UnavailableError
        await super().delete(keys)


class TestErase:
    async def test_rows_and_files_of_every_state_are_gone_at_once(
        self, world: World, kept: UserData
    ) -> None:
        process = ProcessEmoji(world.db, world.assets, world.queue, world.time)
        contents = [pictures.png(), pictures.damaged_png(), pictures.png()]
        ids = [await world.keep(content) for content in contents]
        await world.keep(pictures.png())
        for emoji_id in ids:
            await process.process(uuid_of(emoji_id))
        async with world.client() as client:
            await client.delete(f"/emoji/{ids[2]}")
            await client.post(
                "/emoji/",
                files={"file": ("cat.png", pictures.png())},
                headers={"Idempotency-Key": "k1"},
            )
        world.time.passes(seconds=5)
        await kept.erase(ALICE, before=world.time())
        assert await rows_of(world, "alice") == 0
        assert await world.listed() == []
        assert await world.used() == 0
        assert await world.stored() == set()

    async def test_files_that_cannot_be_removed_at_once_are_removed_by_a_task(
        self, world: World
    ) -> None:
        objects = StubbornStore()
        stubborn = replace(world, objects=objects, folder=world.folder / "stubborn")
        (kept,) = stubborn.feature.user_data
        async with stubborn.running():
            await stubborn.keep(pictures.png())
            world.time.passes(seconds=1)
            with pytest.raises(UnavailableError):
                await kept.erase(ALICE, before=world.time())
            assert await rows_of(world, "alice") == 0
            objects.is_stubborn = False
            # Two minutes pass in the database.
            await world.run("UPDATE user_emojis.outbox SET next_attempt_at = now()")
            await world.run("UPDATE assets.guards SET collecting_until = now()")

            async def is_forgotten() -> bool:
                return await stubborn.stored() == set()

            async with stubborn.working():
                await eventually(is_forgotten, within=30)

    async def test_what_another_user_keeps_too_stays_theirs(
        self, world: World, kept: UserData
    ) -> None:
        content = pictures.png()
        await world.keep(content)
        theirs = await world.keep(content, user=BOB)
        world.time.passes(seconds=1)
        await kept.erase(ALICE, before=world.time())
        process = ProcessEmoji(world.db, world.assets, world.queue, world.time)
        await process.process(uuid_of(theirs))
        (emoji,) = await world.listed(BOB)
        assert emoji["status"] == "ready"
        assert await world.used(BOB) == 1

    async def test_the_user_starts_afresh_and_a_second_run_changes_nothing(
        self, world: World, kept: UserData
    ) -> None:
        content = pictures.png()
        await world.keep(content)
        world.time.passes(seconds=1)
        before = world.time()
        await kept.erase(ALICE, before=before)
        world.time.passes(seconds=1)
        fresh = await world.keep(content)
        await kept.erase(ALICE, before=before)
        assert [emoji["id"] for emoji in await world.listed()] == [fresh]
        assert await world.used() == 1
        assert len(await world.stored()) == 1

    async def test_a_task_in_flight_finds_nothing_and_is_done(
        self, world: World, kept: UserData
    ) -> None:
        emoji_id = uuid_of(await world.keep(pictures.png()))
        world.time.passes(seconds=1)
        await kept.erase(ALICE, before=world.time())
        process = ProcessEmoji(world.db, world.assets, world.queue, world.time)
        await process.process(emoji_id)
        assert await world.stored() == set()

    async def test_an_upload_that_was_under_way_keeps_nothing(
        self, world: World, kept: UserData
    ) -> None:
        answer = await self.upload_and_erase(world, kept)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert await rows_of(world, "alice") == 0
        assert await world.stored() == set()

    async def test_it_is_refused_also_when_its_file_cannot_be_removed_at_once(
        self, world: World, kept: UserData
    ) -> None:
        stubborn = replace(world, objects=StubbornStore(), folder=world.folder / "stubborn")
        async with stubborn.running():
            answer = await self.upload_and_erase(stubborn, kept)
        assert answer.status_code == 401
        assert await rows_of(world, "alice") == 0

    async def upload_and_erase(self, world: World, kept: UserData) -> httpx.Response:
        """An upload of Alice's, in the middle of which she is erased."""

        async def body() -> AsyncIterator[bytes]:
            content = pictures.png()
            head = b'Content-Disposition: form-data; name="file"; filename="a.png"'
            yield b"--b\r\n" + head + b"\r\n\r\n" + content[:20]
            world.time.passes(seconds=1)
            await kept.erase(ALICE, before=world.time())
            yield content[20:] + b"\r\n--b--\r\n"

        async with world.client() as client:
            return await client.post(
                "/emoji/",
                content=body(),
                headers={"Content-Type": "multipart/form-data; boundary=b"},
            )

    async def test_many_at_once_do_not_hinder_each_other(
        self, world: World, kept: UserData
    ) -> None:
        for _ in range(3):
            await world.keep(pictures.png(), tier="premium")
        world.time.passes(seconds=1)
        before = world.time()
        await asyncio.gather(
            *(kept.erase(ALICE, before=before) for _ in range(4)),
            *(world.upload(pictures.png(), tier="premium") for _ in range(8)),
        )
        listed = await world.listed()
        assert len(listed) == 8
        assert await world.used() == 8


class TestExport:
    async def test_everything_that_is_kept_is_told(self, world: World, kept: UserData) -> None:
        first = await world.keep(pictures.png(), name="Tom", tags=["cat"])
        second = await world.keep(pictures.gif())
        await world.keep(pictures.png(), user=BOB)
        async with world.client() as client:
            await client.delete(f"/emoji/{second}")
        exported = await kept.export(ALICE)
        assert kept.name == "emojis"
        assert isinstance(exported, list)
        assert [one["id"] for one in exported] == [first, second]
        assert exported[0]["name"] == "Tom"
        assert exported[0]["tags"] == ["cat"]
        assert exported[0]["deleted_at"] is None
        assert exported[1]["frames"] == 3
        assert datetime.fromisoformat(exported[1]["deleted_at"]) == world.time()

    async def test_a_stranger_has_nothing(self, kept: UserData) -> None:
        assert await kept.export(BOB) == []
