"""SQL of the tiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from sqlalchemy import select, update

from emoji_gallery.accounts.models import tiers
from emoji_gallery.accounts.rules.standing import TierRow, Tiers
from emoji_gallery.contracts.identity import Tier
from emoji_gallery.kit.database import ReadConnection, WriteConnection

_TIER_COLUMNS = tuple(tiers.c[field.name] for field in fields(Tier))


async def all_tiers(connection: ReadConnection) -> Tiers:
    """Every tier, lowest rank first."""
    statement = select(*_TIER_COLUMNS, tiers.c.anonymous_reads_per_minute).order_by(tiers.c.rank)
    rows: dict[str, TierRow] = {}
    for row in (await connection.execute(statement)).mappings():
        values = dict(row)
        anonymous: int | None = values.pop("anonymous_reads_per_minute")
        tier = Tier(**values)
        rows[tier.name] = TierRow(tier, anonymous)
    return Tiers(rows)


async def change_limits(tx: WriteConnection, name: str, changes: Mapping[str, int | None]) -> bool:
    """Give a tier other limits; False when there is no such tier."""
    result = await tx.execute(update(tiers).where(tiers.c.name == name).values(dict(changes)))
    return result.rowcount == 1
