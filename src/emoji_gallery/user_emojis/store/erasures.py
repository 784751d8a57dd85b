"""Rows of `erasures`: what requests that outlived an erasure find."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.database import ReadConnection, WriteConnection
from emoji_gallery.user_emojis.models import erasures


async def note(tx: WriteConnection, owner_id: UserId, before: datetime) -> None:
    """Let nothing of an owner be kept that was asked for before a time."""
    statement = insert(erasures).values(owner_id=owner_id, before=before)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[erasures.c.owner_id],
            set_={"before": func.greatest(erasures.c.before, statement.excluded.before)},
        )
    )


async def covers(connection: ReadConnection, owner_id: UserId, asked_at: datetime) -> bool:
    """Whether an owner was erased since a request of theirs began."""
    query = select(erasures.c.owner_id).where(
        erasures.c.owner_id == owner_id, erasures.c.before > asked_at
    )
    return (await connection.execute(query)).one_or_none() is not None


async def forget(tx: WriteConnection, *, before: datetime) -> None:
    """Delete notes that no request can be old enough for."""
    await tx.execute(delete(erasures).where(erasures.c.before < before))
