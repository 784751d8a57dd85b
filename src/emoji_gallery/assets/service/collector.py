"""Removes what nobody needs: assets without references, files without rows.

A collector first claims a digest, which keeps those away who would bring it again, then looks
once more whether anything refers to it, then removes files, then rows. Whatever kills it in
between, the next run or the next `ingest` of the same bytes puts things right.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Final
from uuid import UUID, uuid4

import structlog

from emoji_gallery.assets.metrics import AssetMetrics
from emoji_gallery.assets.rules.keys import RENDITIONS, SOURCES, digest_of, keys_of
from emoji_gallery.assets.service.hot import HotFiles
from emoji_gallery.assets.service.known import KnownAssets
from emoji_gallery.assets.store import collection, guards
from emoji_gallery.assets.store.collection import Need
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database, WriteConnection
from emoji_gallery.kit.objects import ObjectInfo, ObjectStore

# Files of a claim are removed within this time, or not at all: a claim outlives it by far, so
# that no late removal meets the next one who brings the same bytes.
_REMOVAL_SECONDS: Final = 25
_CLAIM: Final = timedelta(seconds=75)

# Who only looks at an asset or draws it is done with its row in a moment.
_TRIES: Final = 4
_PAUSE: Final = 0.1

_BATCH: Final = 100
_SCAN: Final = 1000

# A file without a row is somebody's at work for at most the hour of a hold.
_STRAY_AGE: Final = timedelta(days=1)

# Names those of some digests that are not to be collected after all.
Spare = Callable[[WriteConnection, Sequence[Digest]], Awaitable[Collection[Digest]]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Collector:
    """Knows in which schemas a view `asset_references(digest)` says what is needed."""

    db: Database
    objects: ObjectStore
    schemas: Sequence[str]
    grace: timedelta
    known: KnownAssets
    hot: HotFiles
    metrics: AssetMetrics
    clock: Clock

    async def collect(self) -> None:
        """Mark what is unneeded, and remove what has been so for longer than the grace."""
        await self._mark()
        after: Digest | None = None
        while due := await self._overdue(after):
            await self._remove_assets(await self._claim(due, spare=self._needed))
            after = due[-1]
        async with self.db.transaction() as tx:
            await guards.drop_idle(tx)

    async def collect_now(self, digests: Sequence[Digest]) -> None:
        """Remove at once what nothing refers to; what somebody just brings stays theirs."""
        busy = await self._collect_unneeded(digests)
        for _ in range(_TRIES):
            if not busy:
                return
            await asyncio.sleep(_PAUSE)
            busy = await self._collect_unneeded(busy)
        await self._leave_to_next_run(busy)

    async def drop(self, digests: Sequence[Digest]) -> None:
        """Remove what nothing refers to, but for what somebody else is at work on."""
        await self._leave_to_next_run(await self._collect_unneeded(digests))

    async def sweep(self) -> None:
        """Remove old files that belong to no asset, and what dead writers left behind."""
        before = self.clock() - _STRAY_AGE
        unfinished = await self.objects.remove_unfinished(before=before)
        strays = 0
        for prefix in (SOURCES, RENDITIONS):
            async for page in self.objects.pages(prefix):
                strays += await self._sweep_page([info for info in page if info.modified < before])
        log.info("assets.swept", strays=strays, unfinished=unfinished)

    async def _collect_unneeded(self, digests: Sequence[Digest]) -> list[Digest]:
        """Remove what can be removed; answers what somebody is at work on."""
        busy: list[Digest] = []
        for batch in _batches(sorted(set(digests))):
            claim = await self._claim(batch, spare=self._needed)
            await self._remove_assets(claim)
            busy.extend(claim.busy)
        return busy

    async def _leave_to_next_run(self, digests: Sequence[Digest]) -> None:
        """Should those who are at work on these vanish, they go then, not after the grace."""
        for digest in digests:
            async with self.db.transaction() as tx:
                await collection.mark_overdue(tx, digest)

    async def _mark(self) -> None:
        after: Digest | None = None
        while page := await self._scan(after):
            unneeded = [need.digest for need in page if need.is_new_waste]
            needed = [need.digest for need in page if need.is_wanted_again]
            async with self.db.transaction() as tx:
                await collection.mark_unneeded(tx, unneeded)
                await collection.mark_needed(tx, needed)
            after = page[-1].digest

    async def _scan(self, after: Digest | None) -> list[Need]:
        async with self.db.reading() as connection:
            return await collection.needs(connection, self.schemas, after=after, limit=_SCAN)

    async def _overdue(self, after: Digest | None) -> list[Digest]:
        async with self.db.reading() as connection:
            return await collection.overdue(connection, grace=self.grace, after=after, limit=_BATCH)

    async def _claim(self, digests: Sequence[Digest], *, spare: Spare) -> _Claim:
        """Take out of service what nobody brings or uses just now and `spare` does not name."""
        collector = uuid4()
        async with self.db.transaction() as tx:
            claimed = await guards.claim(tx, digests, collector=collector, lease=_CLAIM)
            in_use = await collection.lock(tx, claimed)
            # Whoever had a lock on one of these has committed: this sees what they refer to.
            spared = {*in_use, *await spare(tx, claimed)}
            await guards.drop_claims(tx, sorted(spared), collector=collector)
            unneeded = [digest for digest in sorted(claimed) if digest not in spared]
            await collection.mark_collecting(tx, unneeded)
        busy = sorted({*digests} - {*claimed} | {*in_use})
        return _Claim(collector, unneeded, busy)

    async def _needed(self, tx: WriteConnection, digests: Sequence[Digest]) -> list[Digest]:
        needed = await collection.referenced(tx, digests, self.schemas)
        await collection.mark_needed(tx, needed)
        return needed

    async def _known_or_needed(
        self, tx: WriteConnection, digests: Sequence[Digest]
    ) -> list[Digest]:
        registered = await collection.registered(tx, digests)
        return registered + await collection.referenced(tx, digests, self.schemas)

    async def _remove_assets(self, claim: _Claim) -> None:
        await self._remove(claim, chain.from_iterable(map(keys_of, claim.unneeded)))
        self.metrics.collected(len(claim.unneeded))

    async def _remove(self, claim: _Claim, keys: Iterable[str]) -> None:
        digests = claim.unneeded
        if not digests:
            return
        async with asyncio.timeout(_REMOVAL_SECONDS):
            await self.objects.delete(list(keys))
        self.hot.forget(digests)
        self.known.forget(digests)
        async with self.db.transaction() as tx:
            await collection.remove(tx, digests, collector=claim.collector)
            await guards.drop_claims(tx, digests, collector=claim.collector)
        log.info("assets.collected", count=len(digests))

    async def _sweep_page(self, page: Sequence[ObjectInfo]) -> int:
        """Remove the files of a page that belong to no asset; tells of how many assets."""
        keys: defaultdict[Digest, list[str]] = defaultdict(list)
        for info in page:
            digest = digest_of(info.key)
            if digest is not None:
                keys[digest].append(info.key)
        async with self.db.reading() as connection:
            strays = keys.keys() - set(await collection.registered(connection, sorted(keys)))
        removed = 0
        for batch in _batches(sorted(strays)):
            claim = await self._claim(batch, spare=self._known_or_needed)
            await self._remove(claim, (key for digest in claim.unneeded for key in keys[digest]))
            removed += len(claim.unneeded)
        return removed


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one collector may remove, and what somebody else is at work on."""

    collector: UUID
    unneeded: Sequence[Digest]
    busy: Sequence[Digest]


def _batches(digests: Sequence[Digest]) -> Iterator[Sequence[Digest]]:
    return (digests[start : start + _BATCH] for start in range(0, len(digests), _BATCH))
