"""Decides between those who bring a digest and those who take it away.

Whoever brings bytes holds their digest from before the file is stored until the transaction that
registers it; a collector claims a digest from before the first file is removed until the rows
are. A row lock lets one of them go first, and the other one sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Uuid,
    case,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from emoji_gallery.assets.models import guards
from emoji_gallery.assets.store.arrays import among, rows_of
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.database import WriteConnection


async def hold(
    tx: WriteConnection, digests: Sequence[Digest], *, duration: timedelta
) -> list[Digest]:
    """Keep collectors away from digests; answers all but those that one is at work on."""
    wanted = rows_of(digests)
    holding = insert(guards).from_select(
        ["digest", "holds", "held_until"], select(wanted.c.given, 1, func.now() + duration)
    )
    result = await tx.execute(
        holding.on_conflict_do_update(
            index_elements=[guards.c.digest],
            set_={
                "holds": case((_is_held(), guards.c.holds + 1), else_=1),
                "held_until": holding.excluded.held_until,
                "collector": None,
                "collecting_until": None,
            },
            where=~_is_collected(),
        ).returning(guards.c.digest)
    )
    return list(result.scalars())


async def release(tx: WriteConnection, digests: Sequence[Digest]) -> list[Digest]:
    """End one hold of each; answers those of which there was one (left)."""
    held = select(guards.c.digest).where(among(guards.c.digest, digests), _is_held())
    locked = select(held.order_by(guards.c.digest).with_for_update().cte("held").c.digest)
    result = await tx.execute(
        update(guards)
        .where(guards.c.digest.in_(locked))
        .values(holds=guards.c.holds - 1)
        .returning(guards.c.digest)
    )
    return list(result.scalars())


async def claim(
    tx: WriteConnection, digests: Sequence[Digest], *, collector: UUID, lease: timedelta
) -> list[Digest]:
    """Take for a collector what nobody holds, collects or is just registering.

    Waits for nobody's transaction: a collector that stands in nobody's way can wait for the next
    opportunity. Answers the digests that were taken.
    """
    free = await _not_locked(tx, digests)
    if not free:
        return []
    wanted = rows_of(free)
    claiming = insert(guards).from_select(
        ["digest", "collector", "collecting_until"],
        select(wanted.c.given, literal(collector, Uuid), func.now() + lease),
    )
    result = await tx.execute(
        claiming.on_conflict_do_update(
            index_elements=[guards.c.digest],
            set_={
                "collector": claiming.excluded.collector,
                "collecting_until": claiming.excluded.collecting_until,
            },
            where=~_is_held() & ~_is_collected(),
        ).returning(guards.c.digest)
    )
    return list(result.scalars())


async def _not_locked(tx: WriteConnection, digests: Sequence[Digest]) -> list[Digest]:
    """Those of the digests whose row is missing or now locked by this transaction."""
    rows = select(guards.c.digest).where(among(guards.c.digest, digests)).order_by(guards.c.digest)
    locked = set((await tx.execute(rows.with_for_update(skip_locked=True))).scalars())
    there = set((await tx.execute(rows)).scalars())
    return [digest for digest in sorted(digests) if digest in locked or digest not in there]


async def drop_claims(tx: WriteConnection, digests: Sequence[Digest], *, collector: UUID) -> None:
    """Forget what a collector claimed and has not lost since."""
    await tx.execute(
        delete(guards).where(among(guards.c.digest, digests), guards.c.collector == collector)
    )


async def drop_idle(tx: WriteConnection) -> None:
    """Forget the digests that nobody holds or collects."""
    idle = select(guards.c.digest).where(~_is_held(), ~_is_collected())
    locked = idle.order_by(guards.c.digest).limit(1000).with_for_update(skip_locked=True)
    await tx.execute(delete(guards).where(guards.c.digest.in_(locked)))


def _is_held() -> ColumnElement[bool]:
    return (guards.c.holds > 0) & func.coalesce(guards.c.held_until > func.now(), False)


def _is_collected() -> ColumnElement[bool]:
    return func.coalesce(guards.c.collecting_until > func.now(), False)
