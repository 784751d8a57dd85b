"""The catalogue's version, and the lock under which it changes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from emoji_gallery.kit.database import ReadConnection, WriteConnection

_READ: Final = text("SELECT version FROM gallery.catalogue")
_LOCK: Final = text("SELECT version FROM gallery.catalogue FOR UPDATE")
_ANALYSE: Final = text(
    "ANALYZE gallery.emojis, gallery.shelves, gallery.search_texts, gallery.words"
)
_ADVANCE: Final = text("UPDATE gallery.catalogue SET version = version + 1 RETURNING version")


async def read_version(connection: ReadConnection) -> int:
    """The version that is committed now."""
    return int((await connection.execute(_READ)).scalar_one())


async def lock_catalogue(tx: WriteConnection) -> None:
    """Wait for the others that change the catalogue; the first statement of a change."""
    await tx.execute(_LOCK)


async def advance_version(tx: WriteConnection) -> int:
    """Make it known that the catalogue is another one once this transaction commits."""
    return int((await tx.execute(_ADVANCE)).scalar_one())


async def take_stock(tx: WriteConnection) -> None:
    """Let PostgreSQL plan with what is there now, after a change that it would notice late."""
    await tx.execute(_ANALYSE)
