from __future__ import annotations

import pytest

from emoji_gallery.contracts.ids import UserId
from emoji_gallery.user_emojis.models import idempotency
from emoji_gallery.user_emojis.service.process import ProcessEmoji
from emoji_gallery.user_emojis.service.sweep import SweepEmojis
from emoji_gallery.user_emojis.store.keys import UserEmojiKeys
from tests.user_emojis import pictures
from tests.user_emojis.world import ALICE, BOB, World, uuid_of
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def sweep(world: World) -> SweepEmojis:
    keys = UserEmojiKeys(world.db, idempotency)
    return SweepEmojis(world.db, world.queue, keys, world.time)


async def tasks(world: World) -> int:
    """How many tasks wait."""
    return len(await world.run("SELECT 1 FROM user_emojis.outbox"))


class TestResume:
    async def test_an_emoji_whose_task_was_lost_becomes_ready(
        self, world: World, sweep: SweepEmojis
    ) -> None:
        await world.keep(pictures.png())
        await world.run("DELETE FROM user_emojis.outbox")
        world.time.passes(minutes=2, seconds=1)
        await sweep.resume()

        async def is_ready() -> bool:
            return str((await world.listed())[0]["status"]) == "ready"

        async with world.working():
            await eventually(is_ready, within=30)

    async def test_a_young_emoji_is_left_to_its_own_task(
        self, world: World, sweep: SweepEmojis
    ) -> None:
        await world.keep(pictures.png())
        await world.run("DELETE FROM user_emojis.outbox")
        world.time.passes(minutes=1)
        await sweep.resume()
        assert await tasks(world) == 0

    async def test_a_task_that_still_waits_is_not_doubled(
        self, world: World, sweep: SweepEmojis
    ) -> None:
        for _ in range(3):
            await world.keep(pictures.png())
        world.time.passes(minutes=5)
        await sweep.resume()
        await sweep.resume()
        assert await tasks(world) == 3

    async def test_what_is_ready_or_deleted_is_left_alone(
        self, world: World, sweep: SweepEmojis
    ) -> None:
        done = uuid_of(await world.keep(pictures.png()))
        deleted = await world.keep(pictures.png())
        await ProcessEmoji(world.db, world.assets, world.queue, world.time).process(done)
        async with world.client() as client:
            await client.delete(f"/emoji/{deleted}")
        await world.run("DELETE FROM user_emojis.outbox")
        world.time.passes(minutes=5)
        await sweep.resume()
        assert await tasks(world) == 0


class TestPurge:
    async def rejected(self, world: World, user: UserId = ALICE) -> None:
        """A rejected emoji."""
        emoji_id = await world.keep(pictures.damaged_png(), user=user)
        process = ProcessEmoji(world.db, world.assets, world.queue, world.time)
        await process.process(uuid_of(emoji_id))

    async def test_a_rejected_emoji_stays_listed_for_seven_days(
        self, world: World, sweep: SweepEmojis
    ) -> None:
        await self.rejected(world)
        await self.rejected(world)
        await self.rejected(world, BOB)
        kept = await world.keep(pictures.png())
        world.time.passes(days=6, hours=23)
        async with world.client() as client:
            # Renaming it does not keep it longer.
            await client.patch(f"/emoji/{(await world.listed())[-1]['id']}", json={"name": "x"})
        await sweep.purge()
        assert len(await world.listed()) == 3
        world.time.passes(hours=1, seconds=1)
        await sweep.purge()
        assert [emoji["id"] for emoji in await world.listed()] == [kept]
        assert await world.listed(BOB) == []
        assert await world.used() == 1

    async def test_a_deleted_emoji_is_purged_after_30_days(
        self, world: World, sweep: SweepEmojis
    ) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
        world.time.passes(days=29)
        await sweep.purge()
        assert await world.run("SELECT 1 FROM user_emojis.emojis") != []
        world.time.passes(days=1, seconds=1)
        await sweep.purge()
        assert await world.run("SELECT 1 FROM user_emojis.emojis") == []
        assert await world.run("SELECT 1 FROM user_emojis.asset_references") == []

    async def test_any_number_is_purged_in_one_run(self, world: World, sweep: SweepEmojis) -> None:
        emoji_id = await world.keep(pictures.png())
        await world.run(
            "INSERT INTO user_emojis.emojis (id, owner_id, name, tags, status, digest, bytes, "
            "original_name, format, width, height, frames, created_at, updated_at, deleted_at) "
            "SELECT gen_random_uuid(), 'alice', name, tags, status, n::text, bytes, "
            "original_name, format, width, height, frames, created_at, updated_at, created_at "
            "FROM user_emojis.emojis CROSS JOIN generate_series(1, 450) AS n"
        )
        world.time.passes(days=31)
        await sweep.purge()
        (left,) = await world.run("SELECT id FROM user_emojis.emojis")
        assert left == (uuid_of(emoji_id),)

    async def test_an_erasure_is_remembered_no_longer_than_a_request_can_take(
        self, world: World, sweep: SweepEmojis
    ) -> None:
        (kept,) = world.feature.user_data
        await kept.erase(ALICE, before=world.time())
        world.time.passes(minutes=59)
        await sweep.purge()
        assert await world.run("SELECT owner_id FROM user_emojis.erasures") == [("alice",)]
        world.time.passes(minutes=1, seconds=1)
        await sweep.purge()
        assert await world.run("SELECT owner_id FROM user_emojis.erasures") == []

    async def test_answers_to_retries_are_forgotten_after_a_day(
        self, world: World, sweep: SweepEmojis
    ) -> None:
        async with world.client() as client:
            for key in ("old", "young"):
                await client.post(
                    "/emoji/",
                    files={"file": ("cat.png", pictures.png())},
                    headers={"Idempotency-Key": key},
                )
        await world.run(
            "UPDATE user_emojis.idempotency SET claimed_at = now() - interval '25 hours', "
            "answered_at = now() - interval '25 hours' "
            "WHERE claimed_at = (SELECT min(claimed_at) FROM user_emojis.idempotency)"
        )
        await sweep.purge()
        assert len(await world.run("SELECT 1 FROM user_emojis.idempotency")) == 1
