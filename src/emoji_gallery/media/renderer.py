"""The public door: probe and render sources in pools of sandboxed children."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

from emoji_gallery.media.catalogue import RenditionSpec, renditions
from emoji_gallery.media.errors import (
    ImageRejectedError,
    Rejection,
    UnknownRenditionError,
    UnsupportedMediaError,
)
from emoji_gallery.media.pool import Bounds, Pool
from emoji_gallery.media.process import Family
from emoji_gallery.media.protocol import MAX_SOURCE_BYTES, ProbeTask, RenderTask
from emoji_gallery.media.sniff import SNIFF_BYTES, sniff
from emoji_gallery.media.turnstile import Priority
from emoji_gallery.media.types import Format, Limits, Probe, Rendered

Source: TypeAlias = Path | bytes
"""A local file, or a source that is in memory already."""

_PIXELS_AT_ONCE: Final = 4_000_000
"""Up to so many source pixels, all renditions are made in one task; beyond, each has its own
time."""


@dataclass(frozen=True)
class Renderer:
    """Pools of pre-started children, one for rasters and one for vectors.

    An asynchronous context manager. It belongs to the event loop and the thread that starts it.
    """

    bounds: Bounds = field(default_factory=Bounds)
    _pools: dict[Family, Pool] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the pools out; nothing starts yet."""
        self._pools.update({family: Pool(family, self.bounds) for family in Family})

    async def start(self) -> None:
        """Start the first child of each pool. Raises RendererUnavailableError."""
        try:
            async with asyncio.TaskGroup() as starting:
                for pool in self._pools.values():
                    starting.create_task(pool.start())
        except BaseExceptionGroup as group:
            await self.stop()
            raise group.exceptions[0] from None

    async def stop(self) -> None:
        """End every child; none is left behind."""
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))

    async def probe(self, source: Source, *, limits: Limits) -> Probe:
        """Measure a source by its headers, before any pixel is decoded.

        Raises UnsupportedMediaError for what is not taken, ImageRejectedError for what is empty,
        damaged, unsafe or past a limit, RendererUnavailableError where no child is free in time.
        """
        async with _opened(source) as (descriptor, head):
            kind = sniff(head)
            if kind is None:
                raise UnsupportedMediaError("not a format that is taken")
            pool = self._pools[_family(kind)]
            answer, _ = await pool.run(ProbeTask(kind, limits), descriptor, Priority.PROBE)
        if not isinstance(answer, Probe):
            raise ImageRejectedError(Rejection.CRASHED)
        return answer

    async def render(
        self,
        source: Source,
        probe: Probe,
        names: Sequence[str],
        *,
        priority: Priority = Priority.UPLOAD,
    ) -> dict[str, Rendered]:
        """Make the named renditions of a source that was probed, in the order of the names.

        The same source and name make the same bytes, whichever others are asked for with it.
        Raises UnknownRenditionError for a name that the picture does not have, and what `probe`
        raises; damage that headers do not show is found here.
        """
        available = renditions(probe.shape)
        unknown = [name for name in names if name not in available]
        if unknown:
            raise UnknownRenditionError(unknown[0])
        specs = [available[name] for name in names]
        made: dict[str, Rendered] = {}
        async with _opened(source) as (descriptor, _):
            for batch in _batches(probe, specs):
                made |= await self._make(descriptor, probe, batch, priority)
        return made

    async def _make(
        self, descriptor: int, probe: Probe, specs: Sequence[RenditionSpec], priority: Priority
    ) -> dict[str, Rendered]:
        pool = self._pools[_family(probe.format)]
        _, blobs = await pool.run(RenderTask(probe, specs), descriptor, priority)
        if len(blobs) != len(specs):
            raise ImageRejectedError(Rejection.CRASHED)
        return {spec.name: _rendered(spec, data) for spec, data in zip(specs, blobs, strict=True)}

    @property
    def measures(self) -> frozenset[str]:
        """Which measures of the sandbox are in force: limits, account, calls, network."""
        return frozenset.intersection(*(pool.measures for pool in self._pools.values()))

    async def __aenter__(self) -> Self:
        """Start on entry."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop on exit."""
        await self.stop()


def _family(kind: Format) -> Family:
    return Family.VECTOR if kind is Format.SVG else Family.RASTER


def _batches(probe: Probe, specs: Sequence[RenditionSpec]) -> list[Sequence[RenditionSpec]]:
    pixels = probe.width * probe.height * probe.frames
    if probe.vector or pixels <= _PIXELS_AT_ONCE:
        return [specs] if specs else []
    return [[spec] for spec in specs]


def _rendered(spec: RenditionSpec, data: bytes) -> Rendered:
    """Believe the child about the bytes only as far as their own signature agrees."""
    if sniff(data[:SNIFF_BYTES]) != Format(spec.extension):
        raise ImageRejectedError(Rejection.CRASHED)
    return Rendered(spec.name, spec.content_type, spec.width, spec.height, data)


@asynccontextmanager
async def _opened(source: Source) -> AsyncIterator[tuple[int, bytes]]:
    """Open a source for a child to read; answer the descriptor and the head."""
    descriptor = await asyncio.to_thread(_open, source)
    try:
        size = os.fstat(descriptor).st_size
        if size == 0:
            raise ImageRejectedError(Rejection.EMPTY)
        if size > MAX_SOURCE_BYTES:
            raise ImageRejectedError(Rejection.FILE_TOO_LARGE, limit=MAX_SOURCE_BYTES, actual=size)
        yield descriptor, os.pread(descriptor, SNIFF_BYTES, 0)
    finally:
        os.close(descriptor)


def _open(source: Source) -> int:
    if isinstance(source, Path):
        return os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    descriptor = os.memfd_create("source")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(source)
    return descriptor
