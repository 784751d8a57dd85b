"""Rows of `emojis`: one function a statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, text, update

from emoji_gallery.contracts.ids import Digest, UserEmojiId, UserId
from emoji_gallery.kit.database import ReadConnection, WriteConnection
from emoji_gallery.media.types import Format, Probe
from emoji_gallery.user_emojis.models import Status, UserEmoji, emojis

# Any number that no other feature locks under: the first of the two keys of an owner's lock.
_OWNER_LOCKS: Final = 1_970_629_458

_COLUMNS: Final = [
    emojis.c.id,
    emojis.c.owner_id,
    emojis.c.name,
    emojis.c.tags,
    emojis.c.status,
    emojis.c.reason,
    emojis.c.digest,
    emojis.c.bytes,
    emojis.c.original_name,
    emojis.c.format,
    emojis.c.width,
    emojis.c.height,
    emojis.c.frames,
    emojis.c.duration_ms,
    emojis.c.created_at,
    emojis.c.updated_at,
    emojis.c.deleted_at,
]


async def lock_owner(tx: WriteConnection, owner_id: UserId) -> None:
    """Let one transaction at a time decide which emojis an owner has.

    Two that find the same deleted emoji would each take a slot for it, and two that hold each
    other's rows would wait for ever.
    """
    await tx.execute(
        text("SELECT pg_advisory_xact_lock(:class, hashtext(:owner))"),
        {"class": _OWNER_LOCKS, "owner": owner_id},
    )


async def find_living(connection: ReadConnection, emoji_id: UserEmojiId) -> UserEmoji | None:
    """An emoji that is not deleted."""
    query = select(*_COLUMNS).where(emojis.c.id == emoji_id, emojis.c.deleted_at.is_(None))
    return _one_or_none((await connection.execute(query)).one_or_none())


async def find_owned(
    tx: WriteConnection, owner_id: UserId, emoji_id: UserEmojiId
) -> UserEmoji | None:
    """An emoji of an owner, deleted or not, locked until the transaction ends."""
    query = select(*_COLUMNS).where(emojis.c.id == emoji_id, emojis.c.owner_id == owner_id)
    return _one_or_none((await tx.execute(query.with_for_update())).one_or_none())


async def find_same(
    connection: ReadConnection, owner_id: UserId, digest: Digest
) -> UserEmoji | None:
    """The owner's living or restorable emoji of these bytes; there is at most one."""
    query = select(*_COLUMNS).where(
        emojis.c.owner_id == owner_id,
        emojis.c.digest == digest,
        emojis.c.status != Status.REJECTED,
    )
    return _one_or_none((await connection.execute(query)).one_or_none())


async def newest_first(
    connection: ReadConnection, owner_id: UserId, *, before: UserEmojiId | None, limit: int
) -> list[UserEmoji]:
    """Up to `limit` listed emojis, the ones made before `before`; ids sort by time of creation."""
    query = (
        select(*_COLUMNS)
        .where(emojis.c.owner_id == owner_id, emojis.c.deleted_at.is_(None))
        .order_by(emojis.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(emojis.c.id < before)
    return [_emoji(row) for row in await connection.execute(query)]


async def all_of(connection: ReadConnection, owner_id: UserId) -> list[UserEmoji]:
    """Every row of an owner, the deleted and rejected ones too, oldest first."""
    query = select(*_COLUMNS).where(emojis.c.owner_id == owner_id).order_by(emojis.c.id)
    return [_emoji(row) for row in await connection.execute(query)]


async def add(tx: WriteConnection, emoji: UserEmoji) -> None:
    """Insert a new emoji; the unique index refuses a second one of the same bytes."""
    await tx.execute(
        insert(emojis).values(
            id=emoji.id,
            owner_id=emoji.owner_id,
            name=emoji.name,
            tags=list(emoji.tags),
            status=emoji.status,
            reason=emoji.reason,
            digest=emoji.digest,
            bytes=emoji.bytes,
            original_name=emoji.original_name,
            format=emoji.probe.format,
            width=emoji.probe.width,
            height=emoji.probe.height,
            frames=emoji.probe.frames,
            duration_ms=emoji.probe.duration_ms,
            created_at=emoji.created_at,
            updated_at=emoji.updated_at,
        )
    )


async def describe(
    tx: WriteConnection,
    emoji_id: UserEmojiId,
    *,
    name: str | None,
    tags: Sequence[str] | None,
    now: datetime,
) -> UserEmoji:
    """Give a row another name, other tags or both; None keeps what is there."""
    values: dict[str, object] = {"updated_at": now}
    if name is not None:
        values["name"] = name
    if tags is not None:
        values["tags"] = list(tags)
    change = update(emojis).where(emojis.c.id == emoji_id).values(values).returning(*_COLUMNS)
    return _emoji((await tx.execute(change)).one())


async def delete_softly(tx: WriteConnection, emoji_id: UserEmojiId, *, now: datetime) -> None:
    """Take a row off the list; it stays restorable."""
    change = update(emojis).where(emojis.c.id == emoji_id)
    await tx.execute(change.values(deleted_at=now, updated_at=now))


async def undelete(tx: WriteConnection, emoji_id: UserEmojiId, *, now: datetime) -> UserEmoji:
    """Put a deleted row back on the list, with the attempts of its processing counted anew."""
    change = (
        update(emojis)
        .where(emojis.c.id == emoji_id)
        .values(deleted_at=None, updated_at=now, attempts=0)
        .returning(*_COLUMNS)
    )
    return _emoji((await tx.execute(change)).one())


async def remove(tx: WriteConnection, emoji_id: UserEmojiId) -> None:
    """Delete a row for good."""
    await tx.execute(delete(emojis).where(emojis.c.id == emoji_id))


async def remove_oldest_deleted(tx: WriteConnection, owner_id: UserId, *, keep: int) -> None:
    """Delete for good all but the `keep` latest of an owner's deleted rows."""
    surplus = (
        select(emojis.c.id)
        .where(emojis.c.owner_id == owner_id, emojis.c.deleted_at.is_not(None))
        .order_by(emojis.c.deleted_at.desc(), emojis.c.id.desc())
        .offset(keep)
    )
    await tx.execute(delete(emojis).where(emojis.c.id.in_(surplus)))


async def remove_made_before(
    tx: WriteConnection, owner_id: UserId, before: datetime
) -> list[UserEmoji]:
    """Delete for good what an owner made before a time; returns what it was."""
    change = (
        delete(emojis)
        .where(emojis.c.owner_id == owner_id, emojis.c.created_at < before)
        .returning(*_COLUMNS)
    )
    return [_emoji(row) for row in await tx.execute(change)]


def _one_or_none(row: Row[Any] | None) -> UserEmoji | None:
    return None if row is None else _emoji(row)


def _emoji(row: Row[Any]) -> UserEmoji:
    return UserEmoji(
        id=row.id,
        owner_id=row.owner_id,
        name=row.name,
        tags=tuple(row.tags),
        status=Status(row.status),
        reason=row.reason,
        digest=row.digest,
        bytes=row.bytes,
        original_name=row.original_name,
        probe=Probe(
            format=Format(row.format),
            width=row.width,
            height=row.height,
            frames=row.frames,
            duration_ms=row.duration_ms,
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
    )
