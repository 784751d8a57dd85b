"""The facts of a picture, as every row that shows an emoji carries them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from emoji_gallery.contracts.ids import Digest
from emoji_gallery.gallery.rules.rows import Art


def art_of(row: Row[Any]) -> Art:
    """The picture in a row that has its columns."""
    return Art(
        digest=Digest(row.digest),
        width=row.width,
        height=row.height,
        duration_ms=row.duration_ms,
        animated=row.animated,
        vector=row.vector,
    )
