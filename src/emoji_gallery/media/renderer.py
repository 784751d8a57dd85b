"""The public door: probe and render sources in pools of sandboxed children."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from emoji_gallery.media.types import Limits, Probe, Rendered


class Renderer:
    """Pools of pre-started children, one for rasters and one for vectors."""

    async def start(self) -> None:
        """Start the children."""
        raise NotImplementedError

    async def stop(self) -> None:
        """End every child; nothing is left behind."""
        raise NotImplementedError

    async def probe(self, source: Path, *, limits: Limits) -> Probe:
        """Measure a source by its headers, refusing what passes a limit, before any decoding."""
        raise NotImplementedError

    async def render(self, source: Path, probe: Probe, names: Sequence[str]) -> dict[str, Rendered]:
        """Make the named renditions of a source that was probed."""
        raise NotImplementedError

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
