"""SQL of the API keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, or_, select, update

from emoji_gallery.accounts.models import api_keys
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.database import ReadConnection, WriteConnection


@dataclass(frozen=True)
class KeyHolder:
    """Whom a key that is not revoked stands for."""

    key_id: UUID
    user_id: UserId
    scopes: frozenset[str]
    last_used_at: datetime | None


@dataclass(frozen=True)
class ApiKey:
    """What is shown of a key: all but the key."""

    id: UUID
    user_id: UserId
    label: str
    preview: str
    scopes: Sequence[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


_KEY_COLUMNS = tuple(api_keys.c[field.name] for field in fields(ApiKey))


async def find_holder(connection: ReadConnection, digest: bytes) -> KeyHolder | None:
    """Whom the key of that digest stands for, unless it is unknown or revoked."""
    columns = api_keys.c
    statement = select(columns.id, columns.user_id, columns.scopes, columns.last_used_at).where(
        columns.digest == digest, columns.revoked_at.is_(None)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return KeyHolder(row.id, row.user_id, frozenset(row.scopes), row.last_used_at)


async def touch_key(
    tx: WriteConnection, key_id: UUID, *, now: datetime, unless_since: datetime
) -> None:
    """Note that a key is in use, unless that was noted since a time."""
    noted = api_keys.c.last_used_at
    await tx.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, or_(noted.is_(None), noted < unless_since))
        .values(last_used_at=now)
    )


async def add_key(tx: WriteConnection, key: ApiKey, *, digest: bytes) -> None:
    """Store a new key of a user who has a row."""
    await tx.execute(
        insert(api_keys).values(
            id=key.id,
            user_id=key.user_id,
            label=key.label,
            preview=key.preview,
            digest=digest,
            scopes=list(key.scopes),
            created_at=key.created_at,
        )
    )


async def list_keys(connection: ReadConnection, user_id: UserId | None) -> Sequence[ApiKey]:
    """The keys of a user or of all, revoked ones too, oldest first."""
    statement = select(*_KEY_COLUMNS).order_by(api_keys.c.id)
    if user_id is not None:
        statement = statement.where(api_keys.c.user_id == user_id)
    return [ApiKey(**row) for row in (await connection.execute(statement)).mappings()]


async def revoke_key(tx: WriteConnection, key_id: UUID, *, now: datetime) -> bool:
    """Revoke a key; False when it is unknown or revoked already."""
    result = await tx.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return result.rowcount == 1


async def erase_keys(tx: WriteConnection, user_id: UserId) -> None:
    """Remove every key of a user."""
    await tx.execute(delete(api_keys).where(api_keys.c.user_id == user_id))
