"""Makes renditions, once however many processes ask.

A row in `assets.renditions` is a lease: whoever gets it draws and stores the file, the others
look for the file until it is there. A lease is renewed while its holder lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final
from uuid import uuid4

import structlog

from emoji_gallery.assets.metrics import AssetMetrics
from emoji_gallery.assets.rules.keys import rendition_key, source_key
from emoji_gallery.assets.rules.stored import StoredAsset
from emoji_gallery.assets.store import renditions
from emoji_gallery.assets.store.renditions import Lease
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import NotFoundError, UnavailableError
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.media.errors import ImageRejectedError, Rejection, RendererUnavailableError
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.media.turnstile import Priority

# How long a lease outlives a holder that died, and how often a living one renews it.
_LEASE: Final = timedelta(seconds=15)
_RENEW_SECONDS: Final = 4.0

# A source that could not be drawn is not tried again before this.
_REST: Final = timedelta(minutes=10)

_FIRST_PAUSE: Final = 0.03
_LONGEST_PAUSE: Final = 0.4

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MakeRenditions:
    """Draws what is missing."""

    db: Database
    objects: ObjectStore
    renderer: Renderer
    metrics: AssetMetrics

    async def make(
        self, asset: StoredAsset, names: Sequence[str], *, patience: timedelta, priority: Priority
    ) -> None:
        """Return when all the named renditions are stored.

        Raises `ImageRejectedError` when the source cannot be drawn, `NotFoundError` when it is
        gone, and `UnavailableError` when no child is free or another process took longer than
        `patience`. An asset has only the renditions of the catalogue; nothing else may be named.
        """
        missing = _without(names, await self._stored(asset.digest, names))
        deadline, pause = monotonic() + patience.total_seconds(), _FIRST_PAUSE
        while missing:
            missing = _without(missing, await self._make_unclaimed(asset, missing, priority))
            if not missing:
                return
            await self._raise_if_hopeless(asset.digest, missing)
            if monotonic() > deadline:
                raise UnavailableError("The file is still being made.", retry_after=2)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            missing = _without(missing, await self._stored(asset.digest, missing))

    async def _stored(self, digest: Digest, names: Sequence[str]) -> dict[str, int]:
        """Those of the renditions that are stored, with their sizes in bytes."""
        heads = (self.objects.head(rendition_key(digest, name)) for name in names)
        infos = await asyncio.gather(*heads)
        return {name: info.size for name, info in zip(names, infos, strict=True) if info}

    async def _make_unclaimed(
        self, asset: StoredAsset, names: Sequence[str], priority: Priority
    ) -> Sequence[str]:
        """Draw those that no other process draws; answers which these were."""
        async with self.db.transaction() as tx:
            lease = await renditions.claim(tx, asset.digest, names, token=uuid4(), duration=_LEASE)
        if lease is None:
            return ()
        started = monotonic()
        try:
            # Renewing has ended when the outcome is written: it would lease it once more.
            async with self._renewed(lease):
                sizes = await self._draw(asset, lease, priority)
            await self._finish(lease, sizes)
        except ImageRejectedError as error:
            await self._fail(lease, error.reason)
            raise
        except BaseException as error:
            await self._give_back(lease)
            if isinstance(error, RendererUnavailableError):
                raise UnavailableError("No renderer is free.", retry_after=2) from error
            raise
        self.metrics.took(monotonic() - started)
        return lease.names

    async def _draw(
        self, asset: StoredAsset, lease: Lease, priority: Priority
    ) -> Mapping[str, int]:
        """Have what is missing stored; answers the sizes of all in bytes."""
        # Whoever had the lease before may have finished since this process looked.
        sizes = await self._stored(lease.digest, lease.names)
        missing = _without(lease.names, sizes)
        if missing:
            source = await self._read_source(lease.digest)
            drawn = await self.renderer.render(source, asset.probe, missing, priority=priority)
            for name, rendered in drawn.items():
                await self.objects.put_if_absent(rendition_key(lease.digest, name), rendered.data)
                sizes[name] = len(rendered.data)
                self.metrics.made(name)
        return sizes

    async def _finish(self, lease: Lease, sizes: Mapping[str, int]) -> None:
        async with self.db.transaction() as tx:
            living = await renditions.finish(tx, lease, sizes)
        if not living:
            # It was collected meanwhile, and the collector may have been here before the files.
            await self.objects.delete([rendition_key(lease.digest, name) for name in sizes])
            raise NotFoundError

    async def _fail(self, lease: Lease, reason: Rejection) -> None:
        self.metrics.failed(reason)
        log.warning("rendition.failed", digest=lease.digest, names=lease.names, reason=reason)
        async with self.db.transaction() as tx:
            await renditions.fail(tx, lease, reason=reason, rest=_REST)

    async def _raise_if_hopeless(self, digest: Digest, names: Sequence[str]) -> None:
        async with self.db.reading() as connection:
            if not await renditions.is_living(connection, digest):
                raise NotFoundError
            reason = await renditions.failure(connection, digest, names)
        if reason is not None:
            raise ImageRejectedError(Rejection(reason))

    async def _give_back(self, lease: Lease) -> None:
        # If this fails, the lease runs out by itself.
        with suppress(UnavailableError):
            async with self.db.transaction() as tx:
                await renditions.give_back(tx, lease)

    @asynccontextmanager
    async def _renewed(self, lease: Lease) -> AsyncIterator[None]:
        renewing = asyncio.create_task(self._renew(lease))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            with suppress(UnavailableError):
                async with self.db.transaction() as tx:
                    await renditions.renew(tx, lease, duration=_LEASE)

    async def _read_source(self, digest: Digest) -> bytes:
        source = await self.objects.read(source_key(digest))
        if source is None:
            log.error("asset.source_missing", digest=digest)
            raise NotFoundError
        return source


def _without(names: Sequence[str], done: Collection[str]) -> list[str]:
    return [name for name in names if name not in done]
