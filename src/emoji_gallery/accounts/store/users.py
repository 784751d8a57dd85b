"""SQL of the users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from emoji_gallery.accounts.models import users
from emoji_gallery.accounts.rules.standing import Standing
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.database import ReadConnection, WriteConnection


@dataclass(frozen=True)
class User:
    """What accounts keeps of a user. `tier` is the stored one, if one is."""

    user_id: UserId
    tier: str | None
    tokens_revoked_before: datetime | None
    created_at: datetime
    updated_at: datetime


_USER_COLUMNS = tuple(users.c[field.name] for field in fields(User))


async def standing_of(connection: ReadConnection, user_id: UserId) -> Standing:
    """The facts about a user that decide about a request."""
    statement = select(users.c.tier, users.c.tokens_revoked_before, users.c.erased_at).where(
        users.c.user_id == user_id
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return Standing()
    return Standing(
        known=row.erased_at is None,
        tier=row.tier,
        tokens_revoked_before=row.tokens_revoked_before,
    )


async def find_user(connection: ReadConnection, user_id: UserId) -> User | None:
    """The user's row, unless there is none or the user was erased."""
    result = await connection.execute(_living(users.c.user_id == user_id))
    row = result.mappings().one_or_none()
    return None if row is None else User(**row)


async def list_users(
    connection: ReadConnection, *, after: UserId | None, limit: int
) -> Sequence[User]:
    """Users in the order of their ids, from the one that follows `after`."""
    statement = _living(users.c.user_id > (after or "")).order_by(users.c.user_id).limit(limit)
    return [User(**row) for row in (await connection.execute(statement)).mappings()]


async def remember_user(tx: WriteConnection, user_id: UserId, *, now: datetime) -> None:
    """Give a user a row, or life to the row that an erasure left; others stay as they are."""
    row = insert(users).values(user_id=user_id, created_at=now, updated_at=now)
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=[users.c.user_id],
            set_={"created_at": now, "updated_at": now, "erased_at": None},
            where=users.c.erased_at.is_not(None),
        )
    )


async def store_tier(
    tx: WriteConnection, user_id: UserId, tier: str | None, *, now: datetime
) -> User:
    """Put a user who has a row on a tier; None leaves it to the claim of the user's token."""
    statement = update(users).where(users.c.user_id == user_id)
    changed = statement.values(tier=tier, updated_at=now).returning(*_USER_COLUMNS)
    return User(**(await tx.execute(changed)).mappings().one())


async def revoke_tokens(
    tx: WriteConnection, user_id: UserId, *, before: datetime, now: datetime
) -> None:
    """Revoke what was issued before a time to a user who has a row; never less than already is."""
    await tx.execute(
        update(users)
        .where(users.c.user_id == user_id)
        .values(
            tokens_revoked_before=func.greatest(users.c.tokens_revoked_before, before),
            updated_at=now,
        )
    )


async def erase_user(tx: WriteConnection, user_id: UserId, *, now: datetime) -> None:
    """Remove the user's row, but for a revocation: without it a revoked token would hold again."""
    mine = users.c.user_id == user_id
    await tx.execute(delete(users).where(mine, users.c.tokens_revoked_before.is_(None)))
    await tx.execute(update(users).where(mine).values(tier=None, updated_at=now, erased_at=now))


def _living(condition: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    return select(*_USER_COLUMNS).where(condition, users.c.erased_at.is_(None))
