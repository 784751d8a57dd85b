from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from typing_extensions import override

from emoji_gallery.assets.rules.links import AssetFacts
from emoji_gallery.assets.settings import AssetSettings
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.errors import NotFoundError, UnavailableError
from emoji_gallery.kit.objects import FolderObjectStore
from emoji_gallery.media.renderer import Renderer, Source
from emoji_gallery.media.turnstile import Priority
from emoji_gallery.media.types import Probe, Rendered
from tests.assets.stage import Stage, svg
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE = AssetSettings(asset_grace=timedelta(0))


class StubbornStore(FolderObjectStore):
    """Storage that removes nothing before it is allowed to, or fails instead."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, timeout=timedelta(seconds=20))
        self.asked = asyncio.Event()
        self.allowed = asyncio.Event()
        self.broken = False

    @override
    async def delete(self, keys: Sequence[str]) -> None:
        self.asked.set()
        if self.broken:
            raise UnavailableError
        await self.allowed.wait()
        await super().delete(keys)


@pytest.fixture
def stubborn(stage: Stage, tmp_path: Path) -> tuple[Stage, StubbornStore]:
    """A process whose storage waits with removals."""
    store = StubbornStore(tmp_path / "objects")
    return stage.sibling(AT_ONCE, objects=store), store


async def is_whole(stage: Stage, digest: Digest) -> bool:
    """Whether an asset is registered, in service and has its source."""
    rows = await stage.run(
        "SELECT 1 FROM assets.assets WHERE digest = :digest AND collecting_since IS NULL",
        digest=digest,
    )
    return len(rows) == 1 and f"sources/{digest[:2]}/{digest}" in await stage.stored()


async def is_gone(stage: Stage, digest: Digest) -> bool:
    """Whether neither rows nor files are left."""
    rows = await stage.run(
        "SELECT digest FROM assets.assets WHERE digest = :digest UNION ALL "
        "SELECT digest FROM assets.renditions WHERE digest = :digest UNION ALL "
        "SELECT digest FROM assets.guards WHERE digest = :digest",
        digest=digest,
    )
    return not rows and not any(digest in key for key in await stage.stored())


async def end_claims(stage: Stage) -> None:
    """Let the claims of collectors that died run out."""
    await stage.run(
        "UPDATE assets.guards SET collecting_until = now() - interval '1 second' "
        "WHERE collecting_until IS NOT NULL"
    )


def grow_old(tmp_path: Path, key: str) -> None:
    """Make a stored object two days older than the clock of the tests shows."""
    os.utime(tmp_path / "objects" / key, (0, 0))


class TestCollect:
    async def test_what_is_referred_to_stays(self, stage: Stage) -> None:
        process = stage.sibling(AT_ONCE)
        facts = await process.keep(svg("red"))
        await process.collector.collect()
        assert await is_whole(stage, facts.digest)

    async def test_what_nothing_refers_to_goes_with_all_its_files(self, stage: Stage) -> None:
        process = stage.sibling(AT_ONCE)
        facts = await process.keep(svg("red"))
        for name in ("64.webp", "128.png"):
            await process.get(process.url(facts, name))
        await process.let_go(facts.digest)
        await process.collector.collect()
        assert await is_gone(stage, facts.digest)
        assert process.counted("emoji_assets_collected") == 1

    async def test_it_goes_only_when_the_grace_is_over(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        await stage.let_go(facts.digest)
        await stage.collector.collect()
        for age, whole in (("6 days 23 hours", True), ("7 days 1 hour", False)):
            await stage.run(
                "UPDATE assets.assets "
                "SET unreferenced_since = now() - cast(cast(:age AS text) AS interval)",
                age=age,
            )
            await stage.collector.collect()
            assert await is_whole(stage, facts.digest) is whole

    async def test_what_is_referred_to_again_gets_a_new_grace(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        await stage.let_go(facts.digest)
        await stage.collector.collect()
        await stage.run("UPDATE assets.assets SET unreferenced_since = now() - interval '9 days'")
        await stage.run("INSERT INTO keeper.kept VALUES (:digest)", digest=facts.digest)
        await stage.collector.collect()
        await stage.let_go(facts.digest)
        await stage.collector.collect()
        assert await is_whole(stage, facts.digest)

    async def test_many_go_in_batches(self, stage: Stage) -> None:
        process = stage.sibling(AT_ONCE)
        facts = await process.keep(svg("red"))
        await process.run(
            "INSERT INTO assets.assets (digest, format, width, height, frames, bytes) "
            "SELECT encode(sha256(int4send(number)), 'hex'), 'png', 1, 1, 1, 1 "
            "FROM generate_series(1, 1230) AS number"
        )
        await process.collector.collect()
        assert await process.run("SELECT digest FROM assets.assets") == [(facts.digest,)]
        assert process.counted("emoji_assets_collected") == 1230

    async def test_a_hot_file_goes_from_memory_too(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"), public=True)
        urls = [stage.url(facts), f"/media/{facts.digest}/64.webp"]
        assert [(await stage.get(url)).status_code for url in urls] == [200, 200]
        await stage.let_go(facts.digest)
        await stage.assets.collect_now([facts.digest])
        assert [(await stage.get(url)).status_code for url in urls] == [404, 403]

    async def test_another_process_stops_to_serve_it_within_a_minute(self, stage: Stage) -> None:
        elsewhere = stage.sibling()
        facts = await stage.keep(svg("red"), public=True)
        urls = [stage.url(facts), f"/media/{facts.digest}/64.webp"]
        assert [(await elsewhere.get(url)).status_code for url in urls] == [200, 200]
        await stage.let_go(facts.digest)
        await stage.assets.collect_now([facts.digest])
        stage.clock.advance(seconds=60)
        assert [(await elsewhere.get(url)).status_code for url in urls] == [404, 403]


class TestCollectNow:
    async def test_what_nothing_refers_to_goes_at_once(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        await stage.get(stage.url(facts))
        await stage.let_go(facts.digest)
        await stage.assets.collect_now([facts.digest, facts.digest])
        assert await is_gone(stage, facts.digest)

    async def test_what_somebody_else_keeps_stays_theirs(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        await stage.assets.collect_now([facts.digest])
        assert await is_whole(stage, facts.digest)

    async def test_unknown_digests_do_no_harm(self, stage: Stage) -> None:
        await stage.assets.collect_now([Digest("0" * 64)])
        await stage.assets.collect_now([])
        assert await is_gone(stage, Digest("0" * 64))

    async def test_what_somebody_brings_just_now_stays_until_they_are_done(
        self, stage: Stage
    ) -> None:
        facts = await stage.keep(svg("red"))
        await stage.let_go(facts.digest)
        await stage.ingest(svg("red"))
        await stage.assets.collect_now([facts.digest])
        assert await is_whole(stage, facts.digest)
        # Whoever brought it died: then it goes with the next run, without any grace.
        await stage.run("UPDATE assets.guards SET held_until = now() - interval '1 second'")
        await stage.collector.collect()
        assert await is_gone(stage, facts.digest)


class TestRaces:
    async def test_a_collector_stands_in_nobodys_way_while_bytes_are_registered(
        self, stage: Stage
    ) -> None:
        source = svg("red")
        facts = await stage.keep(source)
        await stage.let_go(facts.digest)
        await stage.ingest(source)
        async with stage.db.transaction() as tx:
            probe = await stage.probe(source)
            await stage.assets.register(tx, facts.digest, probe, size=len(source))
            await stage.sibling(AT_ONCE).collector.collect()
        await stage.run("INSERT INTO keeper.kept VALUES (:digest)", digest=facts.digest)
        assert await is_whole(stage, facts.digest)

    async def test_what_is_retained_stays_for_who_refers_to_it(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        await stage.let_go(facts.digest)
        async with stage.db.transaction() as tx:
            await stage.assets.retain(tx, [facts.digest])
            await stage.sibling(AT_ONCE).collector.collect()
            await tx.execute(
                text("INSERT INTO keeper.kept VALUES (:digest)"), {"digest": facts.digest}
            )
        await stage.sibling(AT_ONCE).collector.collect()
        assert await is_whole(stage, facts.digest)

    async def test_what_is_retained_in_vain_goes_at_once_all_the_same(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        await stage.let_go(facts.digest)
        async with stage.db.transaction() as tx:
            await stage.assets.retain(tx, [facts.digest])
            collecting = asyncio.create_task(stage.assets.collect_now([facts.digest]))
            await eventually(lambda: self._waits_for_a_lock(stage), within=20)
        await collecting
        await stage.collector.collect()
        assert await is_gone(stage, facts.digest)

    async def test_what_is_gone_or_going_cannot_be_retained(
        self, stubborn: tuple[Stage, StubbornStore], stage: Stage
    ) -> None:
        process, store = stubborn
        facts, other = await stage.keep(svg("red")), await stage.keep(svg("blue"))
        await stage.let_go(facts.digest)
        collecting = asyncio.create_task(process.assets.collect_now([facts.digest]))
        await store.asked.wait()
        with pytest.raises(NotFoundError):
            await self._retain(stage, [other.digest, facts.digest])
        store.allowed.set()
        await collecting
        with pytest.raises(NotFoundError):
            await self._retain(stage, [facts.digest])
        await self._retain(stage, [other.digest])

    async def test_bytes_that_come_while_they_are_collected_end_up_stored(
        self, stubborn: tuple[Stage, StubbornStore], stage: Stage
    ) -> None:
        process, store = stubborn
        source = svg("red")
        facts = await stage.keep(source)
        await stage.let_go(facts.digest)
        collecting = asyncio.create_task(process.assets.collect_now([facts.digest]))
        await store.asked.wait()
        keeping = asyncio.create_task(stage.keep(source))
        # It is out of service by now, and whoever brings it waits.
        assert (await stage.get(stage.url(facts, "256.webp"))).status_code == 404
        assert not keeping.done()
        store.allowed.set()
        await asyncio.gather(collecting, keeping)
        assert await is_whole(stage, facts.digest)
        assert (await stage.get(stage.url(facts))).status_code == 200

    async def test_what_a_dead_collector_left_is_collected_by_the_next(
        self, stubborn: tuple[Stage, StubbornStore], stage: Stage
    ) -> None:
        process, store = stubborn
        facts = await stage.keep(svg("red"))
        await stage.let_go(facts.digest)
        store.broken = True
        with pytest.raises(UnavailableError):
            await process.assets.collect_now([facts.digest])
        await stage.collector.collect()
        assert facts.digest in str(await stage.stored())
        await end_claims(stage)
        await stage.collector.collect()
        assert await is_gone(stage, facts.digest)

    async def test_what_a_dead_collector_left_can_be_brought_again(
        self, stubborn: tuple[Stage, StubbornStore], stage: Stage
    ) -> None:
        process, store = stubborn
        source = svg("red")
        facts = await stage.keep(source)
        await stage.let_go(facts.digest)
        store.broken = True
        with pytest.raises(UnavailableError):
            await process.assets.collect_now([facts.digest])
        await stage.objects.delete([f"sources/{facts.digest[:2]}/{facts.digest}"])
        await end_claims(stage)
        await stage.keep(source)
        await stage.collector.collect()
        assert await is_whole(stage, facts.digest)

    async def test_a_collector_that_lost_its_claim_removes_no_rows(
        self, stubborn: tuple[Stage, StubbornStore], stage: Stage
    ) -> None:
        process, store = stubborn
        facts = await stage.keep(svg("red"))
        await stage.let_go(facts.digest)
        collecting = asyncio.create_task(process.assets.collect_now([facts.digest]))
        await store.asked.wait()
        await end_claims(stage)
        await stage.keep(svg("red"))
        store.allowed.set()
        await collecting
        rows = await stage.run("SELECT digest FROM assets.assets WHERE collecting_since IS NULL")
        assert rows == [(facts.digest,)]

    async def test_a_rendition_that_is_drawn_while_its_asset_goes_is_not_left_behind(
        self, stage: Stage
    ) -> None:
        facts = await stage.keep(svg("red"))
        renderer = PausedRenderer(stage.renderer)
        process = stage.sibling(renderer=renderer)
        making = asyncio.create_task(process.assets.render(facts.digest, ["64.webp"]))
        await renderer.drawn.wait()
        await stage.let_go(facts.digest)
        await stage.assets.collect_now([facts.digest])
        renderer.go_on.set()
        with pytest.raises(NotFoundError):
            await making
        assert await is_gone(stage, facts.digest)

    @pytest.mark.parametrize("seed", range(3))
    async def test_whatever_overlaps_what_is_needed_is_there(self, stage: Stage, seed: int) -> None:
        process = stage.sibling(AT_ONCE)
        chance = random.Random(seed)
        sources = [svg(colour) for colour in ("red", "green", "blue")]
        probes = {source: await stage.probe(source) for source in sources}

        async def keep_and_let_go(source: bytes) -> None:
            digest = await process.ingest(source)
            await process.register(digest, probes[source])
            if chance.random() < 0.7:
                await process.let_go(digest)

        async def discard(source: bytes) -> None:
            await process.assets.discard([await process.ingest(source)])

        async def collect(source: bytes) -> None:
            await process.assets.collect_now([process.digest_of(source)])

        for _ in range(6):
            steps = [
                chance.choice([keep_and_let_go, keep_and_let_go, discard, collect])(
                    chance.choice(sources)
                )
                for _ in range(8)
            ]
            await asyncio.gather(*steps, process.collector.collect())
        await process.collector.collect()
        needed = {digest for (digest,) in await stage.run("SELECT digest FROM keeper.kept")}
        for digest in map(process.digest_of, sources):
            check = is_whole if digest in needed else is_gone
            assert await check(stage, digest)

    async def _waits_for_a_lock(self, stage: Stage) -> bool:
        rows = await stage.run(
            "SELECT 1 FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(rows)

    async def _retain(self, stage: Stage, digests: Sequence[Digest]) -> None:
        async with stage.db.transaction() as tx:
            await stage.assets.retain(tx, digests)


class PausedRenderer(Renderer):
    """Draws at once and hands over when it may."""

    def __init__(self, inner: Renderer) -> None:
        super().__init__()
        self._inner = inner
        self.drawn = asyncio.Event()
        self.go_on = asyncio.Event()

    @override
    async def render(
        self,
        source: Source,
        probe: Probe,
        names: Sequence[str],
        *,
        priority: Priority = Priority.UPLOAD,
    ) -> dict[str, Rendered]:
        drawn = await self._inner.render(source, probe, names, priority=priority)
        self.drawn.set()
        await self.go_on.wait()
        return drawn


class TestSweep:
    async def test_an_old_file_without_a_row_goes(self, stage: Stage, tmp_path: Path) -> None:
        digest = Digest("ab" * 32)
        keys = [f"sources/ab/{digest}", f"renditions/ab/{digest}-64.webp"]
        for key in keys:
            await stage.objects.put_if_absent(key, b"x")
            grow_old(tmp_path, key)
        await stage.collector.sweep()
        assert await is_gone(stage, digest)

    async def test_a_rendition_that_the_catalogue_no_longer_has_goes_with_the_others(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        key = f"renditions/ab/{'ab' * 32}-96.webp"
        await stage.objects.put_if_absent(key, b"x")
        grow_old(tmp_path, key)
        await stage.collector.sweep()
        assert await stage.stored() == set()

    async def test_a_young_file_stays(self, stage: Stage) -> None:
        key = f"sources/ab/{'ab' * 32}"
        await stage.objects.put_if_absent(key, b"x")
        await stage.collector.sweep()
        assert await stage.stored() == {key}

    async def test_the_old_file_of_an_asset_stays(self, stage: Stage, tmp_path: Path) -> None:
        facts = await stage.keep(svg("red"))
        grow_old(tmp_path, f"sources/{facts.digest[:2]}/{facts.digest}")
        await stage.collector.sweep()
        assert await is_whole(stage, facts.digest)

    async def test_an_old_file_that_somebody_brings_again_stays(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        digest = await stage.ingest(svg("red"))
        key = f"sources/{digest[:2]}/{digest}"
        grow_old(tmp_path, key)
        await stage.collector.sweep()
        assert await stage.stored() == {key}

    async def test_an_old_file_that_is_referred_to_stays_though_its_row_is_lost(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        facts = await stage.keep(svg("red"))
        key = f"sources/{facts.digest[:2]}/{facts.digest}"
        grow_old(tmp_path, key)
        await stage.run("DELETE FROM assets.assets")
        await stage.collector.sweep()
        assert await stage.stored() == {key}

    async def test_files_of_other_origin_stay(self, stage: Stage, tmp_path: Path) -> None:
        await stage.objects.put_if_absent("sources/README", b"x")
        grow_old(tmp_path, "sources/README")
        await stage.collector.sweep()
        assert await stage.stored() == {"sources/README"}

    async def test_drafts_of_dead_writers_go(self, stage: Stage, tmp_path: Path) -> None:
        draft = tmp_path / "objects" / "incoming" / "draft"
        draft.write_bytes(b"x")
        os.utime(draft, (0, 0))
        await stage.collector.sweep()
        assert not draft.exists()


async def test_facts_of_a_kept_asset_are_those_of_its_source(stage: Stage) -> None:
    facts = await stage.keep(svg("red"))
    assert facts == AssetFacts(stage.digest_of(svg("red")), (await stage.probe(svg("red"))).shape)
