"""Knows which version of the catalogue is the present one, within a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from emoji_gallery.gallery.store import catalogue
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import UnavailableError

# Another process' change is seen after this long at most, and the time of a tiny query.
_LOOK_EVERY_SECONDS: Final = 0.4

log = structlog.get_logger(__name__)


class CatalogueWatch:
    """The newest version that this process has seen; what it changes itself it sees at once."""

    def __init__(self, db: Database) -> None:
        """Know nothing until the first look."""
        self._db = db
        self._version = 0

    @property
    def version(self) -> int:
        """The newest version seen; 0 before any."""
        return self._version

    def saw(self, version: int) -> None:
        """Somebody read the catalogue and it had this version."""
        self._version = max(self._version, version)

    async def look(self) -> None:
        """Ask the database; raises `UnavailableError`."""
        async with self._db.reading() as connection:
            self.saw(await catalogue.read_version(connection))

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Keep looking for the time of the block."""
        task = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            task.cancel()
            # Awaiting the task itself could not be told from being cancelled meanwhile.
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_looking(self) -> None:
        seen = True
        while True:
            try:
                await self.look()
            except UnavailableError:
                if seen:
                    log.warning("catalogue.unwatched")
                seen = False
            else:
                seen = True
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
