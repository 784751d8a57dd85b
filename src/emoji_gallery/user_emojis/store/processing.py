"""What a worker does to rows: claim, finish, find what was left behind, purge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select, update

from emoji_gallery.contracts.ids import Digest, UserEmojiId, UserId
from emoji_gallery.kit.database import ReadConnection, WriteConnection
from emoji_gallery.media.types import Format, Shape
from emoji_gallery.user_emojis.models import Status, emojis, quotas


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that a task works on; `attempts` counts this one."""

    id: UserEmojiId
    owner_id: UserId
    digest: Digest
    shape: Shape
    attempts: int


async def claim(tx: WriteConnection, emoji_id: UserEmojiId, now: datetime) -> Claimed | None:
    """Count an attempt at a living emoji that waits to be processed; None if there is none."""
    change = (
        update(emojis)
        .where(emojis.c.id == emoji_id, _waiting())
        .values(attempts=emojis.c.attempts + 1, updated_at=now)
        .returning(emojis)
    )
    row = (await tx.execute(change)).one_or_none()
    if row is None:
        return None
    vector = row.format == Format.SVG
    shape = Shape(row.width, row.height, animated=row.frames > 1, vector=vector)
    return Claimed(emoji_id, row.owner_id, row.digest, shape, row.attempts)


async def give_up_attempt(tx: WriteConnection, emoji_id: UserEmojiId, now: datetime) -> None:
    """Take an attempt back that failed through no fault of the picture."""
    change = update(emojis).where(emojis.c.id == emoji_id, emojis.c.attempts > 0, _waiting())
    await tx.execute(change.values(attempts=emojis.c.attempts - 1, updated_at=now))


async def mark_ready(tx: WriteConnection, emoji_id: UserEmojiId, now: datetime) -> bool:
    """Finish an emoji; one that was deleted meanwhile is finished too. False if it was before."""
    change = update(emojis).where(emojis.c.id == emoji_id, emojis.c.status == Status.PROCESSING)
    done = await tx.execute(change.values(status=Status.READY, updated_at=now))
    return done.rowcount == 1


async def mark_rejected(
    tx: WriteConnection, emoji_id: UserEmojiId, *, reason: str, now: datetime
) -> bool:
    """Refuse a living emoji that was accepted; False if it no longer waits."""
    change = update(emojis).where(emojis.c.id == emoji_id, _waiting())
    done = await tx.execute(
        change.values(status=Status.REJECTED, reason=reason, rejected_at=now, updated_at=now)
    )
    return done.rowcount == 1


async def remove_deleted_unfinished(tx: WriteConnection, emoji_id: UserEmojiId) -> None:
    """Delete a refused row for good that its owner deleted before it was refused."""
    await tx.execute(
        delete(emojis).where(
            emojis.c.id == emoji_id,
            emojis.c.status == Status.PROCESSING,
            emojis.c.deleted_at.is_not(None),
        )
    )


async def left_behind(
    connection: ReadConnection, *, untouched_since: datetime, limit: int
) -> list[UserEmojiId]:
    """Living emojis that wait to be processed and that nothing has happened to since a time."""
    query = (
        select(emojis.c.id)
        .where(_waiting(), emojis.c.updated_at < untouched_since)
        .order_by(emojis.c.updated_at)
        .limit(limit)
    )
    return [UserEmojiId(found) for found in (await connection.execute(query)).scalars()]


async def purge_rejected(tx: WriteConnection, *, before: datetime, limit: int) -> int:
    """Take rejected emojis off the lists that were rejected before a time; how many."""
    old = (
        select(emojis.c.id)
        .where(emojis.c.rejected_at < before)
        .order_by(emojis.c.rejected_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = delete(emojis).where(emojis.c.id.in_(old)).returning(emojis.c.owner_id).cte("gone")
    counts = (
        select(gone.c.owner_id, func.count().label("rows")).group_by(gone.c.owner_id).cte("counts")
    )
    change = (
        update(quotas)
        .where(quotas.c.owner_id == counts.c.owner_id)
        .values(listed=quotas.c.listed - counts.c.rows)
        .returning(counts.c.rows)
    )
    return sum((await tx.execute(change)).scalars())


async def purge_deleted(tx: WriteConnection, *, before: datetime, limit: int) -> int:
    """Delete rows for good that were deleted before a time; how many."""
    old = (
        select(emojis.c.id)
        .where(emojis.c.deleted_at < before)
        .order_by(emojis.c.deleted_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await tx.execute(delete(emojis).where(emojis.c.id.in_(old)))).rowcount


def _waiting() -> ColumnElement[bool]:
    return and_(emojis.c.status == Status.PROCESSING, emojis.c.deleted_at.is_(None))
