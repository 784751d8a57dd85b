"""What other features do with assets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from emoji_gallery.assets.errors import AssetNotHeldError
from emoji_gallery.assets.rules.keys import source_key
from emoji_gallery.assets.rules.links import AssetFacts, Links, RenditionLink
from emoji_gallery.assets.rules.signing import Audience, SigningWindow
from emoji_gallery.assets.rules.stored import StoredAsset
from emoji_gallery.assets.service.collector import Collector
from emoji_gallery.assets.service.known import KnownAssets
from emoji_gallery.assets.service.making import MakeRenditions
from emoji_gallery.assets.store import guards, known
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database, WriteConnection
from emoji_gallery.kit.errors import NotFoundError, UnavailableError
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.media.catalogue import LISTED
from emoji_gallery.media.turnstile import Priority
from emoji_gallery.media.types import Probe

# From before a file is stored until the transaction that registers it.
_HOLD: Final = timedelta(hours=1)

# A collector is done with a digest in a moment; after one that died, somebody comes again.
_COLLECTION_SECONDS: Final = 10
_PAUSE: Final = 0.1

# What a task waits for another process that draws the same.
_TASK_PATIENCE: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Assets:
    """Keeps sources, names their renditions, and makes them."""

    db: Database
    objects: ObjectStore
    links: Links
    making: MakeRenditions
    known: KnownAssets
    collector: Collector
    clock: Clock

    async def ingest(self, path: Path, *, digest: Digest) -> None:
        """Store the file whose SHA-256 is `digest`, unless it is stored, and hold it for an hour.

        Within that hour either `register` it or `discard` it. Raises `StorageFullError` and
        `UnavailableError`; then nothing is kept and nothing is to be discarded.
        """
        await self.hold([digest])
        try:
            await self.store(path, digest=digest)
        except BaseException:
            # A hold that cannot be ended now ends by itself.
            with suppress(UnavailableError):
                await self._release([digest])
            raise

    async def hold(self, digests: Sequence[Digest]) -> None:
        """Announce sources, each named once, that will be stored: no collector takes them now.

        This and `store` are what `ingest` does, for those who bring many. Within an hour either
        `register` or `discard` each of them. Raises `UnavailableError`; then some may be held.
        """
        waiting = sorted(digests)
        deadline = monotonic() + _COLLECTION_SECONDS
        while waiting:
            async with self.db.transaction() as tx:
                held = set(await guards.hold(tx, waiting, duration=_HOLD))
            waiting = [digest for digest in waiting if digest not in held]
            if not waiting:
                return
            if monotonic() > deadline:
                raise UnavailableError("The same file is being removed.", retry_after=30)
            await asyncio.sleep(_PAUSE)

    async def store(self, path: Path, *, digest: Digest) -> None:
        """Store a source that is held; raises `StorageFullError` and `UnavailableError`."""
        await self.objects.put_if_absent(source_key(digest), path)

    async def register(
        self, tx: WriteConnection, digest: Digest, probe: Probe, *, size: int
    ) -> None:
        """Make an ingested source of `size` bytes an asset, for as long as something refers to it.

        Write what refers to it in the same transaction. Uses up what `ingest` held; raises
        `AssetNotHeldError` where it held nothing.
        """
        await self.register_all(tx, [StoredAsset(digest, probe, size)])

    async def register_all(self, tx: WriteConnection, stored: Sequence[StoredAsset]) -> None:
        """Do as `register` does for many assets, each named once."""
        digests = [one.digest for one in stored]
        released = set(await guards.release(tx, digests))
        for digest in digests:
            if digest not in released:
                raise AssetNotHeldError(digest)
        self.known.expect_change(digests)
        await known.upsert(tx, stored)

    async def retain(self, tx: WriteConnection, digests: Sequence[Digest]) -> None:
        """Let `tx` refer to assets that are registered already.

        They cannot go before it ends, and stay if it commits a reference. Raises `NotFoundError`
        when one is gone, or about to: then its bytes have to be ingested again.
        """
        living = await known.lock_living(tx, digests)
        if not living.issuperset(digests):
            raise NotFoundError("The picture is no longer kept.")

    async def discard(self, digests: Sequence[Digest]) -> None:
        """Take back one `ingest` of each; what nobody else needs or brings is gone afterwards."""
        await self._release(digests)
        await self.collector.drop(digests)

    async def publish(self, tx: WriteConnection, digests: Sequence[Digest]) -> None:
        """Let everybody have these without a signature: free in-house art."""
        self.known.expect_change(digests)
        await known.set_public(tx, digests, public=True)

    async def withdraw(self, tx: WriteConnection, digests: Sequence[Digest]) -> None:
        """Ask for signatures again; what caches hold stays there."""
        self.known.expect_change(digests)
        await known.set_public(tx, digests, public=False)

    async def render(self, digest: Digest, names: Sequence[str]) -> None:
        """Have renditions of the catalogue made and stored; those that are, cost nothing.

        Raises `ImageRejectedError` when the source cannot be drawn, `NotFoundError` for an
        unknown asset, `UnavailableError` when no renderer is free.
        """
        async with self.db.reading() as connection:
            asset = await known.find(connection, digest)
        if asset is None:
            raise NotFoundError
        await self.making.make(asset, names, patience=_TASK_PATIENCE, priority=Priority.UPLOAD)

    async def collect_now(self, digests: Sequence[Digest]) -> None:
        """Remove files and rows of what nothing refers to any more, without a time of grace.

        Call it after the transaction that removed the references, and again if it raises.
        """
        await self.collector.collect_now(digests)

    def window(self) -> SigningWindow:
        """What signed URLs made now have in common, for keys and lifetimes of cached pages."""
        return self.links.signer.window(self.clock())

    def renditions(
        self,
        facts: AssetFacts,
        *,
        audience: Audience,
        names: Sequence[str] | None = LISTED,
        window: SigningWindow | None = None,
    ) -> dict[str, RenditionLink]:
        """The URLs of those of the names that the asset has; None means of all it has.

        Pure but for the clock; with a `window` not even that.
        """
        return self.links.renditions(
            facts, audience=audience, window=window or self.window(), names=names
        )

    async def _release(self, digests: Sequence[Digest]) -> None:
        async with self.db.transaction() as tx:
            await guards.release(tx, digests)
