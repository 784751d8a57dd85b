"""Rows of `quotas`: how many slots an owner has taken, and how many rows the list holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Integer, cast, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.database import ReadConnection, WriteConnection
from emoji_gallery.user_emojis.models import quotas


@dataclass(frozen=True, slots=True)
class Quota:
    """Slots taken by living emojis; rows on the list, which rejected ones are on too."""

    used: int
    listed: int


NOTHING: Final = Quota(used=0, listed=0)


async def read(connection: ReadConnection, owner_id: UserId) -> Quota:
    """What an owner has."""
    query = select(quotas.c.used, quotas.c.listed).where(quotas.c.owner_id == owner_id)
    row = (await connection.execute(query)).one_or_none()
    return NOTHING if row is None else Quota(used=row.used, listed=row.listed)


async def take(tx: WriteConnection, owner_id: UserId, limit: int | None) -> bool:
    """Take one slot if fewer than `limit` are taken, in one statement; None is no limit.

    The limit is a parameter: after a downgrade the row may hold more than it, and stays.
    """
    first = select(literal(owner_id), literal(1), literal(1))
    still_free = None
    if limit is not None:
        bound = cast(literal(limit), Integer)
        first = first.where(bound > 0)
        still_free = quotas.c.used < bound
    statement = (
        insert(quotas)
        .from_select(["owner_id", "used", "listed"], first)
        .on_conflict_do_update(
            index_elements=[quotas.c.owner_id],
            set_={"used": quotas.c.used + 1, "listed": quotas.c.listed + 1},
            where=still_free,
        )
        .returning(quotas.c.used)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def give_back(tx: WriteConnection, owner_id: UserId, *, used: int, listed: int) -> None:
    """Give slots back and take rows off the count of the list."""
    change = update(quotas).where(quotas.c.owner_id == owner_id)
    await tx.execute(change.values(used=quotas.c.used - used, listed=quotas.c.listed - listed))


async def forget_if_empty(tx: WriteConnection, owner_id: UserId) -> None:
    """Delete the row of an owner who has nothing."""
    await tx.execute(delete(quotas).where(quotas.c.owner_id == owner_id, quotas.c.listed == 0))
