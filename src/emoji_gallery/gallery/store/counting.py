"""Categories and packs with the number of emojis that a caller sees in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from emoji_gallery.kit.database import ReadConnection

_CATEGORIES: Final = text("""
    WITH counted AS (
        SELECT category, subcategory, sum(items)::bigint AS items
        FROM gallery.shelves
        WHERE is_active AND NOT is_variant AND tier_rank <= :rank AND items > 0
        GROUP BY category, subcategory
    ), listed AS (
        SELECT c.position, c.name, coalesce(c.labels ->> :locale, c.label) AS label,
               sum(counted.items)::bigint AS items,
               jsonb_object_agg(counted.subcategory, counted.items)
                   FILTER (WHERE counted.subcategory <> '') AS subcategories
        FROM gallery.categories c JOIN counted ON counted.category = c.name
        GROUP BY c.name
    ), picked AS (
        SELECT * FROM listed WHERE (position, name) > (:position, :name)
        ORDER BY position, name LIMIT :rows
    )
    SELECT catalogue.version, totals.total, picked.*
    FROM gallery.catalogue
    CROSS JOIN (SELECT count(*) AS total FROM listed) totals
    LEFT JOIN picked ON true
    ORDER BY picked.position, picked.name
""")
_PACKS: Final = text("""
    WITH listed AS (
        SELECT pack.id, pack.name, pack.label, pack.licence, pack.attribution,
               sum(shelf.items)::bigint AS items
        FROM gallery.packs pack JOIN gallery.shelves shelf ON shelf.pack_id = pack.id
        WHERE shelf.is_active AND NOT shelf.is_variant AND shelf.tier_rank <= :rank
          AND shelf.items > 0
        GROUP BY pack.id
    ), picked AS (SELECT * FROM listed WHERE name > :name ORDER BY name LIMIT :rows)
    SELECT catalogue.version, totals.total, picked.*
    FROM gallery.catalogue
    CROSS JOIN (SELECT count(*) AS total FROM listed) totals
    LEFT JOIN picked ON true
    ORDER BY picked.name
""")


@dataclass(frozen=True)
class CountedCategory:
    """A category, labelled in one language, with its subcategories' names and counts."""

    position: int
    name: str
    label: str
    items: int
    subcategories: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class CountedPack:
    """A pack that shows the caller anything."""

    name: str
    label: str
    licence: str
    attribution: str
    items: int


@dataclass(frozen=True)
class CountedCategories:
    """One page of them, of this version of the catalogue."""

    version: int
    total: int
    rows: Sequence[CountedCategory]


@dataclass(frozen=True)
class CountedPacks:
    """One page of them, of this version of the catalogue."""

    version: int
    total: int
    rows: Sequence[CountedPack]


async def count_categories(
    connection: ReadConnection, *, rank: int, locale: str, after: tuple[int, str], rows: int
) -> CountedCategories:
    """The categories behind a place in the gallery's order."""
    parameters = {
        "rank": rank,
        "locale": locale,
        "position": after[0],
        "name": after[1],
        "rows": rows,
    }
    found = (await connection.execute(_CATEGORIES, parameters)).all()
    return CountedCategories(
        version=int(found[0].version),
        total=int(found[0].total),
        rows=[
            CountedCategory(
                position=row.position,
                name=row.name,
                label=row.label,
                items=row.items,
                subcategories=sorted((row.subcategories or {}).items()),
            )
            for row in found
            if row.name is not None
        ],
    )


async def count_packs(
    connection: ReadConnection, *, rank: int, after: str, rows: int
) -> CountedPacks:
    """The packs behind a name, in the order of their names."""
    found = (await connection.execute(_PACKS, {"rank": rank, "name": after, "rows": rows})).all()
    return CountedPacks(
        version=int(found[0].version),
        total=int(found[0].total),
        rows=[
            CountedPack(row.name, row.label, row.licence, row.attribution, row.items)
            for row in found
            if row.name is not None
        ],
    )
