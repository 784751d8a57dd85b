from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest
from typing_extensions import override

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.ids import Digest, UserEmojiId
from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.kit.queue import Payload, PermanentTaskError
from emoji_gallery.kit.typeids import new_uuid
from emoji_gallery.user_emojis.models import DROP_FILES_TASK, PROCESS_TASK
from emoji_gallery.user_emojis.rules.retention import MAX_ATTEMPTS
from emoji_gallery.user_emojis.service.process import ProcessEmoji
from tests.user_emojis import pictures
from tests.user_emojis.world import BOB, World, uuid_of
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def process(world: World) -> ProcessEmoji:
    return ProcessEmoji(world.db, world.assets, world.queue, world.time)


async def emoji_of(world: World) -> dict[str, Any]:
    """The only emoji of Alice."""
    (emoji,) = await world.listed()
    return emoji


async def test_a_worker_makes_an_accepted_emoji_ready(world: World) -> None:
    await world.keep(pictures.png(width=600, height=400))

    async def is_ready() -> bool:
        return str((await emoji_of(world))["status"]) == "ready"

    async with world.working():
        await eventually(is_ready, within=30)
    made = {key.rpartition("-")[2] for key in await world.stored() if "renditions/" in key}
    assert made == {"64.webp", "128.webp", "512.webp"}


async def test_doing_it_twice_and_at_once_changes_nothing(
    world: World, process: ProcessEmoji
) -> None:
    emoji_id = uuid_of(await world.keep(pictures.png()))
    await asyncio.gather(*(process.process(emoji_id) for _ in range(5)))
    before = await emoji_of(world)
    stored = await world.stored()
    await process.process(emoji_id)
    assert await emoji_of(world) == before
    assert before["status"] == "ready"
    assert await world.stored() == stored
    assert await world.used() == 1


async def test_a_damaged_picture_is_rejected_and_gives_its_slot_and_bytes_back(
    world: World,
) -> None:
    await world.keep(pictures.damaged_png())
    assert await world.used() == 1

    async def is_rejected() -> dict[str, Any]:
        emoji = await emoji_of(world)
        assert emoji["status"] == "rejected"
        return emoji

    async def is_forgotten() -> bool:
        return await world.stored() == set()

    async with world.working():
        emoji = await eventually(is_rejected, within=30)
        await eventually(is_forgotten, within=30)
    assert emoji["reason"] == "damaged"
    assert emoji["renditions"] == {}
    assert await world.used() == 0


class TestRejected:
    """What may be done with a rejected emoji."""

    @pytest.fixture
    def content(self) -> bytes:
        return pictures.damaged_png()

    async def rejected(self, world: World, process: ProcessEmoji, content: bytes) -> str:
        emoji_id = await world.keep(content)
        await process.process(uuid_of(emoji_id))
        return emoji_id

    async def test_it_is_looked_at_and_renamed(
        self, world: World, process: ProcessEmoji, content: bytes
    ) -> None:
        emoji_id = await self.rejected(world, process, content)
        async with world.client() as client:
            assert (await client.get(f"/emoji/{emoji_id}")).json()["status"] == "rejected"
            renamed = await client.patch(f"/emoji/{emoji_id}", json={"name": "Tom"})
        assert renamed.json()["name"] == "Tom"

    async def test_it_is_deleted_for_good(
        self, world: World, process: ProcessEmoji, content: bytes
    ) -> None:
        emoji_id = await self.rejected(world, process, content)
        async with world.client() as client:
            assert (await client.delete(f"/emoji/{emoji_id}")).status_code == 204
            assert (await client.post(f"/emoji/{emoji_id}/restore")).status_code == 404
        assert await world.listed() == []
        assert await world.used() == 0

    async def test_the_same_bytes_are_a_new_upload(
        self, world: World, process: ProcessEmoji, content: bytes
    ) -> None:
        emoji_id = await self.rejected(world, process, content)
        again = await world.upload(content)
        assert again.status_code == 201
        assert again.json()["id"] != emoji_id
        assert await world.used() == 1

    async def test_a_file_that_another_user_waits_for_stays(
        self, world: World, process: ProcessEmoji, content: bytes
    ) -> None:
        await world.keep(content, user=BOB)
        emoji_id = await self.rejected(world, process, content)
        async with world.client() as client:
            version = (await client.get(f"/emoji/{emoji_id}")).json()["version"]
        await world.assets.collect_now([version])
        assert await world.stored()


@dataclass(frozen=True)
class InterruptedAssets(Assets):
    """Assets in which something happens right before a picture is drawn."""

    interruption: Callable[[], Awaitable[object]]

    @override
    async def render(self, digest: Digest, names: Sequence[str]) -> None:
        await self.interruption()
        await super().render(digest, names)


def interrupted(
    process: ProcessEmoji, interruption: Callable[[], Awaitable[object]]
) -> ProcessEmoji:
    """A worker to which something happens."""
    parts = {part.name: getattr(process.assets, part.name) for part in fields(process.assets)}
    return replace(process, assets=InterruptedAssets(**parts, interruption=interruption))


class TestDeletedMeanwhile:
    async def test_a_deleted_emoji_is_left_alone(self, world: World, process: ProcessEmoji) -> None:
        emoji_id = await world.keep(pictures.damaged_png())
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
            await process.process(uuid_of(emoji_id))
            restored = await client.post(f"/emoji/{emoji_id}/restore")
        assert restored.json()["status"] == "processing"

    async def test_a_refusal_after_the_deletion_removes_the_emoji_for_good(
        self, world: World, process: ProcessEmoji
    ) -> None:
        emoji_id = await world.keep(pictures.damaged_png())
        async with world.client() as client:
            deletes = interrupted(process, lambda: client.delete(f"/emoji/{emoji_id}"))
            await deletes.process(uuid_of(emoji_id))
            assert (await client.post(f"/emoji/{emoji_id}/restore")).status_code == 404
        assert await world.used() == 0
        assert await world.run("SELECT 1 FROM user_emojis.emojis") == []

    async def test_one_that_is_finished_after_the_deletion_is_ready_when_restored(
        self, world: World, process: ProcessEmoji
    ) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client() as client:
            deletes = interrupted(process, lambda: client.delete(f"/emoji/{emoji_id}"))
            await deletes.process(uuid_of(emoji_id))
            assert await world.used() == 0
            restored = await client.post(f"/emoji/{emoji_id}/restore")
        assert restored.json()["status"] == "ready"
        assert await world.used() == 1

    async def test_an_emoji_that_is_gone_is_no_trouble(self, process: ProcessEmoji) -> None:
        await process.process(UserEmojiId(new_uuid()))


class TestTrouble:
    async def test_a_part_that_is_away_does_not_count_against_the_picture(
        self, world: World, process: ProcessEmoji
    ) -> None:
        emoji_id = uuid_of(await world.keep(pictures.png()))

        async def away() -> None:
            raise UnavailableError

        for _ in range(2 * MAX_ATTEMPTS):
            with pytest.raises(UnavailableError):
                await interrupted(process, away).process(emoji_id)
        await process.process(emoji_id)
        assert (await emoji_of(world))["status"] == "ready"

    async def test_a_picture_that_ends_its_worker_every_time_is_rejected(
        self, world: World, process: ProcessEmoji
    ) -> None:
        emoji_id = uuid_of(await world.keep(pictures.png()))

        async def end() -> None:
            raise asyncio.CancelledError

        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(asyncio.CancelledError):
                await interrupted(process, end).process(emoji_id)
            assert (await emoji_of(world))["status"] == "processing"
        await process.process(emoji_id)
        emoji = await emoji_of(world)
        assert (emoji["status"], emoji["reason"]) == ("rejected", "processing_failed")
        assert await world.used() == 0

    async def test_a_restored_picture_has_all_its_attempts_again(
        self, world: World, process: ProcessEmoji
    ) -> None:
        emoji_id = await world.keep(pictures.png())

        async def end() -> None:
            raise asyncio.CancelledError

        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(asyncio.CancelledError):
                await interrupted(process, end).process(uuid_of(emoji_id))
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
            await client.post(f"/emoji/{emoji_id}/restore")
        await process.process(uuid_of(emoji_id))
        assert (await emoji_of(world))["status"] == "ready"


@pytest.mark.parametrize(
    ("task", "payload"),
    [
        (PROCESS_TASK, {}),
        (PROCESS_TASK, {"emoji_id": 5}),
        (PROCESS_TASK, {"emoji_id": "no uuid"}),
        (DROP_FILES_TASK, {}),
        (DROP_FILES_TASK, {"digests": "abc"}),
    ],
)
async def test_a_payload_that_makes_no_sense_is_not_tried_again(
    world: World, task: str, payload: Payload
) -> None:
    (handler,) = [one for one in world.feature.tasks if one.task == task]
    with pytest.raises(PermanentTaskError):
        await handler.handle(payload)
