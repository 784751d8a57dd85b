from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from typing_extensions import override

from emoji_gallery.assets.errors import AssetNotHeldError
from emoji_gallery.assets.rules.signing import Audience
from emoji_gallery.assets.rules.stored import StoredAsset
from emoji_gallery.assets.service import library
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.kit.objects import FolderObjectStore, StorageFullError
from tests.assets.stage import Stage, svg

pytestmark = pytest.mark.asyncio(loop_scope="session")


class FullStore(FolderObjectStore):
    """Storage on a disk without room."""

    @override
    async def put_if_absent(self, key: str, source: bytes | Path) -> bool:
        raise StorageFullError


class TestIngest:
    async def test_the_source_is_stored_under_its_digest(self, stage: Stage) -> None:
        digest = await stage.ingest(svg("red"))
        assert await stage.objects.read(f"sources/{digest[:2]}/{digest}") == svg("red")

    async def test_the_same_bytes_are_stored_once(self, stage: Stage) -> None:
        digests = await asyncio.gather(*(stage.ingest(svg("red")) for _ in range(8)))
        assert await stage.stored() == {f"sources/{digests[0][:2]}/{digests[0]}"}

    async def test_a_full_storage_keeps_nothing_and_holds_nothing(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        store = FullStore(tmp_path / "full", timeout=timedelta(seconds=20))
        process = stage.sibling(objects=store)
        with pytest.raises(StorageFullError):
            await process.ingest(svg("red"))
        assert await stage.run("SELECT holds FROM assets.guards") == [(0,)]

    async def test_a_digest_that_a_dead_collector_claimed_is_refused_after_a_while(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(library, "_COLLECTION_SECONDS", 0.2)
        digest = stage.digest_of(svg("red"))
        await stage.run(
            "INSERT INTO assets.guards (digest, collector, collecting_until) "
            "VALUES (:digest, gen_random_uuid(), now() + interval '1 minute')",
            digest=digest,
        )
        with pytest.raises(UnavailableError) as refused:
            await stage.ingest(svg("red"))
        assert refused.value.headers == {"Retry-After": "30"}


class TestMany:
    async def test_many_sources_are_held_stored_and_registered_together(self, stage: Stage) -> None:
        sources = {stage.digest_of(svg(colour)): svg(colour) for colour in ("red", "blue", "tan")}
        probe = await stage.probe(svg("red"))
        await stage.assets.hold(list(sources))
        for digest, source in sources.items():
            path = stage.tmp / digest
            path.write_bytes(source)
            await stage.assets.store(path, digest=digest)
        stored = [StoredAsset(digest, probe, len(source)) for digest, source in sources.items()]
        async with stage.db.transaction() as tx:
            await stage.assets.register_all(tx, stored)
        rows = await stage.run("SELECT digest FROM assets.assets")
        assert {digest for (digest,) in rows} == set(sources)
        assert await stage.run("SELECT DISTINCT holds FROM assets.guards") == [(0,)]

    async def test_thousands_are_registered_with_few_statements(self, stage: Stage) -> None:
        probe = await stage.probe(svg("red"))
        stored = [StoredAsset(Digest(f"{number:064x}"), probe, 1) for number in range(2500)]
        with stage.queries() as queries:
            await stage.assets.hold([one.digest for one in stored])
            async with stage.db.transaction() as tx:
                await stage.assets.register_all(tx, stored)
        assert len(queries) == 5
        assert await stage.run("SELECT count(*) FROM assets.assets") == [(2500,)]

    async def test_all_or_none_are_registered(self, stage: Stage) -> None:
        probe = await stage.probe(svg("red"))
        stored = [StoredAsset(Digest(letter * 64), probe, 1) for letter in "ab"]
        await stage.assets.hold([stored[0].digest])
        with pytest.raises(AssetNotHeldError):
            await self._register(stage, stored)
        assert await stage.run("SELECT digest FROM assets.assets") == []

    async def _register(self, stage: Stage, stored: list[StoredAsset]) -> None:
        async with stage.db.transaction() as tx:
            await stage.assets.register_all(tx, stored)


class TestRegister:
    async def test_what_was_not_ingested_cannot_be_registered(self, stage: Stage) -> None:
        with pytest.raises(AssetNotHeldError):
            await stage.register(stage.digest_of(svg("red")), await stage.probe(svg("red")))

    async def test_one_ingest_registers_once(self, stage: Stage) -> None:
        digest, probe = await stage.ingest(svg("red")), await stage.probe(svg("red"))
        await stage.register(digest, probe)
        with pytest.raises(AssetNotHeldError):
            await stage.register(digest, probe)

    async def test_a_hold_that_ran_out_does_not_register(self, stage: Stage) -> None:
        digest = await stage.ingest(svg("red"))
        await stage.run("UPDATE assets.guards SET held_until = now() - interval '1 second'")
        with pytest.raises(AssetNotHeldError):
            await stage.register(digest, await stage.probe(svg("red")))

    async def test_holds_that_ran_out_do_not_count_for_the_next(self, stage: Stage) -> None:
        digest = await stage.ingest(svg("red"))
        await stage.ingest(svg("red"))
        await stage.run("UPDATE assets.guards SET held_until = now() - interval '1 second'")
        await stage.ingest(svg("red"))
        await stage.register(digest, await stage.probe(svg("red")))
        assert await stage.run("SELECT holds FROM assets.guards") == [(0,)]

    async def test_a_registration_that_is_rolled_back_can_be_tried_again(
        self, stage: Stage
    ) -> None:
        digest, probe = await stage.ingest(svg("red")), await stage.probe(svg("red"))
        with pytest.raises(LookupError):
            await self._register_and_fail(stage, digest)
        await stage.register(digest, probe)
        assert await stage.run("SELECT digest FROM assets.assets") == [(digest,)]

    async def test_many_may_register_the_same_bytes_at_once(self, stage: Stage) -> None:
        await asyncio.gather(*(stage.keep(svg("red")) for _ in range(16)))
        assert await stage.run("SELECT count(*) FROM assets.assets") == [(1,)]
        assert await stage.run("SELECT holds FROM assets.guards") == [(0,)]

    async def test_idle_guards_are_forgotten_by_the_collector(self, stage: Stage) -> None:
        await stage.keep(svg("red"))
        held = await stage.ingest(svg("blue"))
        await stage.collector.collect()
        assert await stage.run("SELECT digest FROM assets.guards") == [(held,)]

    async def _register_and_fail(self, stage: Stage, digest: str) -> None:
        async with stage.db.transaction() as tx:
            probe = await stage.probe(svg("red"))
            await stage.assets.register(tx, stage.digest_of(svg("red")), probe, size=1)
            await tx.execute(text("SELECT 1"))
            raise LookupError(digest)


class TestDiscard:
    async def test_a_refused_source_is_gone(self, stage: Stage) -> None:
        digest = await stage.ingest(svg("red"))
        await stage.assets.discard([digest])
        assert await stage.stored() == set()
        assert await stage.run("SELECT digest FROM assets.guards") == []

    async def test_a_source_that_somebody_else_keeps_stays(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        await stage.ingest(svg("red"))
        await stage.assets.discard([facts.digest])
        assert await stage.stored() == {f"sources/{facts.digest[:2]}/{facts.digest}"}

    async def test_a_source_that_somebody_else_brings_stays_for_them(self, stage: Stage) -> None:
        digest = await stage.ingest(svg("red"))
        await stage.ingest(svg("red"))
        await stage.assets.discard([digest])
        await stage.register(digest, await stage.probe(svg("red")))
        assert await stage.stored() == {f"sources/{digest[:2]}/{digest}"}

    async def test_the_last_who_brought_a_source_takes_it_back(self, stage: Stage) -> None:
        digest = await stage.ingest(svg("red"))
        await stage.ingest(svg("red"))
        await stage.assets.discard([digest])
        await stage.assets.discard([digest])
        assert await stage.stored() == set()


class TestRenditions:
    async def test_lists_carry_three_sizes_of_a_vector_and_details_all(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        listed = stage.assets.renditions(facts, audience=Audience.INHOUSE)
        every = stage.assets.renditions(facts, audience=Audience.INHOUSE, names=None)
        assert list(listed) == ["64.webp", "128.webp", "512.webp"]
        assert len(every) == 11
        assert listed.items() <= every.items()

    async def test_every_url_that_is_listed_works(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        for name, link in stage.assets.renditions(
            facts, audience=Audience.USER, names=None
        ).items():
            answer = await stage.get(link.url)
            assert (name, answer.status_code) == (name, 200)
            assert answer.headers["content-type"] == link.type

    async def test_all_urls_of_a_window_expire_with_it(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        window = stage.assets.window()
        url = stage.url(facts)
        assert f"expires={window.expires}&" in url
        assert window.expires_at - stage.clock() >= timedelta(hours=24)
        assert stage.clock() + timedelta(hours=48) >= window.expires_at
