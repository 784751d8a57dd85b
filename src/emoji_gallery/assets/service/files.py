"""Finds the bytes of renditions: in this process, in storage, or by having them made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from emoji_gallery.assets.metrics import AssetMetrics
from emoji_gallery.assets.rules.conditions import Span
from emoji_gallery.assets.rules.keys import rendition_key
from emoji_gallery.assets.rules.stored import StoredAsset
from emoji_gallery.assets.service.flights import Flights
from emoji_gallery.assets.service.hot import HotFiles
from emoji_gallery.assets.service.line import WaitingLine
from emoji_gallery.assets.service.making import MakeRenditions
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.errors import NotFoundError, UnavailableError
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.media.errors import ImageRejectedError
from emoji_gallery.media.turnstile import Priority

# A request waits this long for a rendition; the work goes on and serves the next one.
_REQUEST_SECONDS: Final = 20
_PATIENCE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class File:
    """A stored rendition: its size, and its bytes if they are few."""

    key: str
    size: int
    data: bytes | None


@dataclass(frozen=True)
class RenditionFiles:
    """Files by digest and name."""

    objects: ObjectStore
    hot: HotFiles
    making: MakeRenditions
    line: WaitingLine
    metrics: AssetMetrics
    _reads: Flights[str, File | None] = field(default_factory=Flights)
    _makes: Flights[str, None] = field(default_factory=Flights)

    async def find(self, digest: Digest, name: str) -> File | None:
        """The file, if it has been made; raises `UnavailableError`."""
        key = rendition_key(digest, name)
        data = self.hot.get(digest, name)
        if data is not None:
            self.metrics.delivered("memory")
            return File(key, len(data), data)
        file = await self._reads.share(key, lambda: self._read(digest, name))
        if file is not None:
            self.metrics.delivered("storage")
        return file

    async def make(self, asset: StoredAsset, name: str) -> None:
        """Have a rendition made, once for all who ask.

        Raises `NotFoundError` when the source cannot be drawn or is gone, `UnavailableError` when
        too many wait or it takes too long; then it goes on for whoever asks next.
        """
        key = rendition_key(asset.digest, name)
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                await self._makes.share(key, lambda: self._make(asset, name))
        except TimeoutError as error:
            raise UnavailableError("The file is still being made.", retry_after=2) from error
        except ImageRejectedError as error:
            raise NotFoundError("This picture cannot be drawn.") from error

    async def stream(self, file: File, span: Span) -> AsyncIterator[bytes]:
        """The bytes of a part of a file that is too large to be kept in memory."""
        reader = await self.objects.open(file.key, start=span.start, stop=span.stop)
        if reader is None:
            raise NotFoundError
        return reader.chunks()

    async def close(self) -> None:
        """End the work under way; what is half-done is done again by the next who asks."""
        await self._reads.close()
        await self._makes.close()

    async def _read(self, digest: Digest, name: str) -> File | None:
        key = rendition_key(digest, name)
        reader = await self.objects.open(key)
        if reader is None:
            return None
        if reader.info.size > self.hot.largest:
            return File(key, reader.info.size, None)
        data = await reader.read()
        self.hot.put(digest, name, data)
        return File(key, len(data), data)

    async def _make(self, asset: StoredAsset, name: str) -> None:
        async with self.line.place():
            await self.making.make(asset, [name], patience=_PATIENCE, priority=Priority.MISS)
