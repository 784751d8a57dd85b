"""An emoji as answers show it, read from a row."""

# Statements are put together from constants of these modules only; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text

from emoji_gallery.contracts.ids import EmojiId
from emoji_gallery.gallery.rules.rows import Art, TierRank
from emoji_gallery.gallery.store.art import art_of
from emoji_gallery.kit.database import ReadConnection

# The name is the one in the language asked for, or the pack's own where there is none.
COLUMNS: Final = """
    emoji.id, emoji.base_id, emoji.character, emoji.tags, emoji.category, emoji.subcategory,
    coalesce(emoji.names ->> :locale, emoji.name) AS name, emoji.tier, emoji.tier_rank,
    emoji.position, emoji.is_active, emoji.digest, emoji.width, emoji.height,
    emoji.duration_ms, emoji.animated, emoji.vector, pack.name AS pack, pack.attribution
"""
JOINS: Final = """
    LEFT JOIN gallery.emojis emoji ON emoji.id = picked.id
    LEFT JOIN gallery.packs pack ON pack.id = emoji.pack_id
"""

_ONE: Final = text(f"""
    SELECT catalogue.version, {COLUMNS}
    FROM gallery.catalogue LEFT JOIN (SELECT CAST(:id AS uuid) AS id) picked ON true {JOINS}
""")


@dataclass(frozen=True, slots=True)
class GalleryRow:
    """One emoji with what its pack says of it, named in one language."""

    id: EmojiId
    base_id: EmojiId | None
    name: str
    character: str | None
    category: str
    subcategory: str
    tags: Sequence[str]
    pack: str
    attribution: str
    tier: TierRank
    position: int
    is_active: bool
    art: Art


async def find_one(
    connection: ReadConnection, emoji_id: EmojiId, *, locale: str
) -> tuple[int, GalleryRow | None]:
    """The catalogue's version and an emoji of any tier, active or not."""
    row = (await connection.execute(_ONE, {"id": emoji_id, "locale": locale})).one()
    return int(row.version), None if row.id is None else read_row(row)


def read_row(row: Row[Any]) -> GalleryRow:
    """A row that has `COLUMNS`."""
    return GalleryRow(
        id=EmojiId(row.id),
        base_id=None if row.base_id is None else EmojiId(row.base_id),
        name=row.name,
        character=row.character,
        category=row.category,
        subcategory=row.subcategory,
        tags=row.tags,
        pack=row.pack,
        attribution=row.attribution,
        tier=TierRank(row.tier, row.tier_rank),
        position=row.position,
        is_active=row.is_active,
        art=art_of(row),
    )
