"""Pages of the gallery, each with its total and the catalogue's version, in one statement.

An order is scanned range by range: the columns that a list holds fixed come first in its
index, and where a list holds one of them open (the tiers that a caller sees), the ranges are
merged. `shelves` says which ranges there are, and how many emojis lie in each, so that a page
costs the same wherever it begins, and its total is a sum over a few counters.
"""

# Statements are put together from constants of these modules only; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from emoji_gallery.gallery.rules.filters import LAST_ID, Filters, Place, Slice, Sort
from emoji_gallery.gallery.store.reading import COLUMNS, JOINS, GalleryRow, read_row
from emoji_gallery.kit.database import ReadConnection

_LANE: Final = ("is_active", "tier", "is_variant", "animated")
_SHELF: Final = (
    "pack_id",
    "category",
    "subcategory",
    "tier",
    "is_variant",
    "animated",
    "is_active",
)


@dataclass(frozen=True)
class ListedPage:
    """What one statement saw: rows, their number in all pages, the catalogue's version."""

    version: int
    total: int | None
    rows: Sequence[GalleryRow]


@dataclass(frozen=True)
class Condition:
    """What rows of `emojis` and `shelves` alike have to be, with its parameters."""

    sql: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class _Order:
    """An order of rows: its columns, and the comparison that begins behind a place."""

    columns: str
    behind: str


_ORDERS: Final[Mapping[Sort, _Order]] = {
    "position": _Order("position, id", "(e.position, e.id) > (:position, :id)"),
    "newest": _Order("id DESC", "e.id < :id"),
}


async def list_page(
    connection: ReadConnection, filters: Filters, page: Slice, *, locale: str
) -> ListedPage:
    """One page of a list that is not searched."""
    condition = conditions(filters)
    order = _ORDERS[page.sort]
    few = filters.ids is not None or filters.base is not None
    source = _few(order, condition) if few else _lanes(order, condition, _lane(filters, page.sort))
    total = (
        f"SELECT count(*) AS total FROM gallery.emojis e WHERE {condition.sql}"
        if few
        else f"SELECT coalesce(sum(e.items), 0) AS total FROM gallery.shelves e "
        f"WHERE {condition.sql}"
    )
    statement = f"""
        WITH picked AS ({source})
        SELECT catalogue.version, totals.total, {COLUMNS}
        FROM gallery.catalogue CROSS JOIN ({total}) totals LEFT JOIN picked ON true {JOINS}
        ORDER BY {_outer(order)}
    """
    after = page.after or (Place() if page.sort == "position" else Place(id=LAST_ID))
    parameters = {
        **condition.parameters,
        "locale": locale,
        "rows": page.rows,
        "id": after.id,
        **({"position": after.position} if page.sort == "position" else {}),
    }
    found = (await connection.execute(text(statement), parameters)).all()
    rows = [read_row(row) for row in found if row.id is not None]
    return ListedPage(version=int(found[0].version), total=int(found[0].total), rows=rows)


def conditions(filters: Filters) -> Condition:
    """The filters as SQL over `e`, a row of `emojis` or of `shelves`."""
    parts = ["e.is_active = :active"]
    parameters: dict[str, Any] = {"active": filters.active}
    if filters.ids is None and filters.base is None and not filters.variants:
        parts.append("e.is_variant = false")
    for column in ("category", "subcategory", "tier", "animated"):
        value = getattr(filters, column)
        if value is not None:
            parts.append(f"e.{column} = :{column}")
            parameters[column] = value
    if filters.pack is not None:
        parts.append("e.pack_id = (SELECT id FROM gallery.packs WHERE name = :pack)")
        parameters["pack"] = filters.pack
    if filters.max_rank is not None:
        parts.append("e.tier_rank <= :max_rank")
        parameters["max_rank"] = filters.max_rank
    if filters.base is not None:
        parts.append("e.base_id = :base")
        parameters["base"] = filters.base
    if filters.ids is not None:
        parts.append("e.id = ANY(:ids)")
        parameters["ids"] = list(filters.ids)
    return Condition(" AND ".join(parts), parameters)


def _lane(filters: Filters, sort: Sort) -> tuple[str, ...]:
    """The columns that the best index for these filters has before those of the order."""
    named = [
        column
        for column, value in (
            ("category", filters.category),
            ("pack_id", filters.pack),
            ("subcategory", filters.subcategory),
        )
        if value is not None
    ]
    if not named:
        return _LANE
    if sort == "position" and named in (["category"], ["pack_id"]):
        return (*named, *_LANE)
    return _SHELF


def _lanes(order: _Order, condition: Condition, lane: Sequence[str]) -> str:
    columns = ", ".join(f"e.{column}" for column in lane)
    equal = " AND ".join(f"e.{column} = lane.{column}" for column in lane)
    return f"""
        SELECT found.position, found.id
        FROM (SELECT DISTINCT {columns} FROM gallery.shelves e
              WHERE e.items > 0 AND {condition.sql}) lane
        CROSS JOIN LATERAL (
            SELECT e.position, e.id FROM gallery.emojis e
            WHERE {equal} AND {order.behind}
            ORDER BY {order.columns} LIMIT :rows
        ) found
        ORDER BY {order.columns} LIMIT :rows
    """


def _few(order: _Order, condition: Condition) -> str:
    return f"""
        SELECT e.position, e.id FROM gallery.emojis e
        WHERE {condition.sql} AND {order.behind}
        ORDER BY {order.columns} LIMIT :rows
    """


def _outer(order: _Order) -> str:
    return ", ".join(f"picked.{column}" for column in order.columns.split(", "))
