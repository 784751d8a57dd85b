from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from obstore.store import MemoryStore
from typing_extensions import override

from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.user_emojis.service.process import ProcessEmoji
from emoji_gallery.user_emojis.store import emojis as emoji_store
from tests.user_emojis import pictures
from tests.user_emojis.world import ALICE, BOB, World, uuid_of
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE = 64


async def upload_at_once(world: World, contents: list[bytes]) -> list[httpx.Response]:
    return await asyncio.gather(*(world.upload(content) for content in contents))


async def fill(world: World, emojis: int) -> list[str]:
    """Upload so many emojis; their ids."""
    return [await world.keep(pictures.png()) for _ in range(emojis)]


async def test_sixth_upload_on_free_tier_is_refused(world: World) -> None:
    await fill(world, 5)
    answer = await world.upload(pictures.png())
    assert answer.status_code == 403
    problem = answer.json()
    assert problem["code"] == "upload_limit_reached"
    assert (problem["tier"], problem["limit"], problem["used"]) == ("free", 5, 5)
    assert await world.used() == 5
    assert len(await world.listed()) == 5
    assert len([key for key in await world.stored() if key.startswith("sources/")]) == 5


class WatchedStore(ObjectStore):
    """A storage that counts what is brought."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), timeout=timedelta(seconds=10))
        self.brought = 0

    @override
    async def put_if_absent(self, key: str, source: bytes | Path) -> bool:
        self.brought += 1
        return await super().put_if_absent(key, source)


async def test_what_is_refused_at_the_limit_never_reaches_the_storage(world: World) -> None:
    objects = WatchedStore()
    watched = replace(world, objects=objects, folder=world.folder / "watched")
    async with watched.running():
        await fill(watched, 5)
        assert (await watched.upload(pictures.png())).status_code == 403
    assert objects.brought == 5


async def test_of_64_uploads_at_the_limit_minus_one_exactly_one_succeeds(world: World) -> None:
    await fill(world, 4)
    answers = await upload_at_once(world, [pictures.png() for _ in range(AT_ONCE)])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 403: 63}
    assert {answer.json()["used"] for answer in answers if answer.status_code == 403} == {5}
    assert await world.used() == 5
    kept = {emoji["version"] for emoji in await world.listed()}
    assert len(kept) == 5
    assert {key.rpartition("/")[2] for key in await world.stored()} == kept
    assert world.spooled() == []


async def test_64_uploads_of_the_same_picture_make_one_emoji(world: World) -> None:
    answers = await upload_at_once(world, [pictures.png()] * AT_ONCE)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 63}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await world.used() == 1


async def test_a_duplicate_answers_with_the_living_emoji_also_at_the_limit(world: World) -> None:
    content = pictures.png()
    emoji_id = await world.keep(content, name="first")
    await fill(world, 4)
    answer = await world.upload(content, name="second")
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["name"]) == (emoji_id, "first")
    assert answer.headers["Location"] == f"/emoji/{emoji_id}"
    assert await world.used() == 5


async def test_two_users_have_the_same_picture_each_as_their_own(world: World) -> None:
    content = pictures.png()
    mine = await world.keep(content)
    theirs = await world.keep(content, user=BOB)
    assert mine != theirs
    assert (await world.used(ALICE), await world.used(BOB)) == (1, 1)


async def test_deleting_frees_the_slot(world: World) -> None:
    emoji_id, *_ = await fill(world, 5)
    async with world.client() as client:
        await client.delete(f"/emoji/{emoji_id}")
    assert await world.used() == 4
    assert (await world.upload(pictures.png())).status_code == 201


class TestRevival:
    async def test_uploading_a_deleted_picture_revives_it_under_its_id(self, world: World) -> None:
        content = pictures.png()
        emoji_id = await world.keep(content, name="Tom", tags=["cat"])
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
        answer = await world.upload(content)
        assert answer.status_code == 201
        revived = answer.json()
        assert (revived["id"], revived["name"], revived["tags"]) == (emoji_id, "Tom", ["cat"])
        assert await world.used() == 1

    async def test_what_is_said_with_the_new_upload_goes_before_what_was(
        self, world: World
    ) -> None:
        content = pictures.png()
        emoji_id = await world.keep(content, name="Tom", tags=["cat"])
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
        answer = await world.upload(content, name="Jerry")
        assert (answer.json()["name"], answer.json()["tags"]) == ("Jerry", ["cat"])

    async def test_one_that_was_ready_is_ready_at_once(self, world: World) -> None:
        content = pictures.png()
        emoji_id = await world.keep(content)
        process = ProcessEmoji(world.db, world.assets, world.queue, world.time)
        await process.process(uuid_of(emoji_id))
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
        answer = await world.upload(content)
        assert (answer.status_code, answer.json()["status"]) == (201, "ready")
        assert "64.webp" in answer.json()["renditions"]

    async def test_it_takes_a_slot(self, world: World) -> None:
        content = pictures.png()
        emoji_id = await world.keep(content)
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
        await fill(world, 5)
        answer = await world.upload(content)
        assert (answer.status_code, answer.json()["code"]) == (403, "upload_limit_reached")
        assert await world.used() == 5

    async def test_64_revivals_at_once_are_one(self, world: World) -> None:
        content = pictures.png()
        emoji_id = await world.keep(content)
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
        answers = await upload_at_once(world, [content] * AT_ONCE)
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 63}
        assert {answer.json()["id"] for answer in answers} == {emoji_id}
        assert await world.used() == 1

    async def test_revivals_and_restorations_at_once_take_one_slot(self, world: World) -> None:
        content = pictures.png()
        emoji_id = await world.keep(content)
        async with world.client() as client:
            for _ in range(5):
                await client.delete(f"/emoji/{emoji_id}")
                answers = await asyncio.gather(
                    *(world.upload(content) for _ in range(4)),
                    *(client.post(f"/emoji/{emoji_id}/restore") for _ in range(4)),
                )
                assert {answer.status_code for answer in answers} <= {200, 201}
                assert await world.used() == 1

    async def test_deletions_at_once_give_one_slot_back(self, world: World) -> None:
        emoji_id, _ = await fill(world, 2)
        async with world.client() as client:
            answers = await asyncio.gather(
                *(client.delete(f"/emoji/{emoji_id}") for _ in range(16))
            )
        assert Counter(answer.status_code for answer in answers) == {204: 1, 404: 15}
        assert await world.used() == 1


@pytest.mark.parametrize("change", ["upload", "restore", "delete"])
async def test_changes_of_one_owner_wait_for_each_other(world: World, change: str) -> None:
    content = pictures.png()
    emoji_id = await world.keep(content)
    async with world.client() as client:
        if change != "delete":
            await client.delete(f"/emoji/{emoji_id}")
        requests = {
            "upload": lambda: world.upload(content),
            "restore": lambda: client.post(f"/emoji/{emoji_id}/restore"),
            "delete": lambda: client.delete(f"/emoji/{emoji_id}"),
        }

        async def waits() -> bool:
            waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            return len(await world.run(waiting)) == 1

        async with world.db.transaction() as tx:
            await emoji_store.lock_owner(tx, ALICE)
            changing = asyncio.create_task(requests[change]())
            await eventually(waits, within=30)
            assert not changing.done()
        assert (await changing).is_success


async def test_a_crowd_of_one_owner_leaves_connections_for_others(world: World) -> None:
    async def alice_waits() -> bool:
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return len(await world.run(waiting)) > 0

    async with world.db.transaction() as tx:
        await emoji_store.lock_owner(tx, ALICE)
        crowd = [asyncio.create_task(world.upload(pictures.png())) for _ in range(20)]
        await eventually(alice_waits, within=30)
        assert (await world.upload(pictures.png(), user=BOB)).status_code == 201
    answers = Counter(answer.status_code for answer in await asyncio.gather(*crowd))
    assert answers == {201: 5, 403: 15}


class TestTiers:
    async def test_premium_keeps_more_than_free(self, world: World) -> None:
        await fill(world, 5)
        assert (await world.upload(pictures.png(), tier="premium")).status_code == 201

    async def test_business_is_without_limit(self, world: World) -> None:
        await world.run(
            "INSERT INTO user_emojis.quotas (owner_id, used, listed) VALUES ('alice', 9999, 9999)"
        )
        assert (await world.upload(pictures.png(), tier="business")).status_code == 201
        assert await world.used() == 10_000

    async def test_a_downgrade_deletes_nothing_and_lets_nothing_more_in(self, world: World) -> None:
        content = pictures.png()
        kept = [await world.keep(pictures.png(), tier="premium") for _ in range(6)]
        kept.append(await world.keep(content, tier="premium"))
        assert {emoji["id"] for emoji in await world.listed()} == set(kept)
        refused = await world.upload(pictures.png())
        assert (refused.status_code, refused.json()["used"]) == (403, 7)
        assert (await world.upload(content)).status_code == 200

        async with world.client() as client:
            for emoji_id in kept[:2]:
                await client.delete(f"/emoji/{emoji_id}")
        assert (await world.upload(pictures.png())).status_code == 403
        async with world.client() as client:
            await client.delete(f"/emoji/{kept[2]}")
        assert (await world.upload(pictures.png())).status_code == 201
        assert await world.used() == 5
