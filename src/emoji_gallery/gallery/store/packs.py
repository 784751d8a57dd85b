"""Packs and categories: what imports write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import text

from emoji_gallery.contracts.ids import PackId
from emoji_gallery.gallery.rules.manifest import CategoryLabels, PackFacts
from emoji_gallery.kit.database import ReadConnection, WriteConnection

_FIND: Final = text("""
    SELECT id, name, label, licence, attribution FROM gallery.packs WHERE name = :name
""")
_WRITE: Final = text("""
    INSERT INTO gallery.packs (id, name, label, licence, attribution, created_at)
    VALUES (:id, :name, :label, :licence, :attribution, :now)
    ON CONFLICT (name) DO UPDATE SET label = excluded.label, licence = excluded.licence,
        attribution = excluded.attribution
""")
_CATEGORIES: Final = text("""
    SELECT name, label, labels, pack_id, position FROM gallery.categories ORDER BY position, name
""")
_WRITE_CATEGORY: Final = text("""
    INSERT INTO gallery.categories (name, pack_id, label, labels, position)
    VALUES (:name, :pack_id, :label, CAST(:labels AS jsonb), :position)
    ON CONFLICT (name) DO UPDATE SET label = excluded.label, labels = excluded.labels
""")
_SUMMARIES: Final = text("""
    SELECT pack.name, pack.label, pack.licence,
           coalesce(sum(shelf.items) FILTER (WHERE shelf.is_active), 0) AS active,
           coalesce(sum(shelf.items), 0) AS items
    FROM gallery.packs pack LEFT JOIN gallery.shelves shelf ON shelf.pack_id = pack.id
    GROUP BY pack.id ORDER BY pack.id
""")


@dataclass(frozen=True)
class PackRow:
    """A pack that has been imported."""

    id: PackId
    facts: PackFacts


@dataclass(frozen=True)
class CategoryRow:
    """A category, the pack that decides its labels, and where it stands among the others."""

    labels: CategoryLabels
    pack_id: PackId
    position: int


@dataclass(frozen=True)
class PackSummary:
    """A pack and how many emojis it has, variants and inactive ones among them."""

    name: str
    label: str
    licence: str
    active: int
    items: int


async def find_pack(connection: ReadConnection, name: str) -> PackRow | None:
    """The pack of that name."""
    row = (await connection.execute(_FIND, {"name": name})).one_or_none()
    if row is None:
        return None
    facts = PackFacts.model_construct(
        name=row.name, label=row.label, licence=row.licence, attribution=row.attribution
    )
    return PackRow(PackId(row.id), facts)


async def summarise_packs(connection: ReadConnection) -> Sequence[PackSummary]:
    """Every pack, the oldest first."""
    rows = await connection.execute(_SUMMARIES)
    return [
        PackSummary(row.name, row.label, row.licence, int(row.active), int(row.items))
        for row in rows
    ]


async def write_pack(tx: WriteConnection, pack: PackRow, *, now: datetime) -> None:
    """Add a pack, or change what is said of it."""
    await tx.execute(_WRITE, {"id": pack.id, "now": now, **pack.facts.model_dump()})


async def read_categories(connection: ReadConnection) -> Sequence[CategoryRow]:
    """Every category in the gallery's order."""
    rows = await connection.execute(_CATEGORIES)
    return [
        CategoryRow(
            labels=CategoryLabels.model_construct(
                name=row.name, label=row.label, labels=row.labels
            ),
            pack_id=PackId(row.pack_id),
            position=row.position,
        )
        for row in rows
    ]


async def write_categories(tx: WriteConnection, rows: Sequence[CategoryRow]) -> None:
    """Add categories, or change their labels."""
    if not rows:
        return
    parameters = [
        {
            "name": row.labels.name,
            "pack_id": row.pack_id,
            "label": row.labels.label,
            "labels": orjson.dumps(row.labels.labels).decode(),
            "position": row.position,
        }
        for row in rows
    ]
    await tx.execute(_WRITE_CATEGORY, parameters)
