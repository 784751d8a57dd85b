"""Claimed keys and their answers in PostgreSQL, on PostgreSQL's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, Table, delete, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from emoji_gallery.kit.database import Database, WriteConnection
from emoji_gallery.kit.idempotency import (
    Claim,
    IdempotencyInFlightError,
    Scope,
    StoredAnswer,
    digest_of,
)

# A request that took this long is given up: its client has long stopped waiting.
_TAKEOVER_AFTER: Final = timedelta(seconds=60)
_REPLAY_FOR: Final = timedelta(hours=24)

# A claim may find a key that is freed before it can be read; it is then claimed again.
_CLAIM_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class IdempotencyStore:
    """Keys of one feature; `table` comes from `declare_idempotency`."""

    db: Database
    table: Table

    async def claim(self, scope: Scope, key: str) -> Claim:
        """Claim a key that is free, forgotten or given up; else find its answer."""
        digest = digest_of(scope, key)
        for _ in range(_CLAIM_ATTEMPTS):
            async with self.db.transaction() as tx:
                token = await self._take(tx, digest, scope.owner_id)
                if token is not None:
                    return Claim(digest, token)
                row = await self._find(tx, digest)
            if row is not None:
                return _answered(digest, row)
        raise IdempotencyInFlightError

    async def complete(
        self, tx: WriteConnection, claim: Claim, fingerprint: bytes, answer: StoredAnswer
    ) -> None:
        """Store the answer; the token fences off a claim that was taken over."""
        if not await self._answer(tx, claim, fingerprint, answer):
            raise IdempotencyInFlightError("Another request took this Idempotency-Key over.")

    async def keep_refusal(self, claim: Claim, fingerprint: bytes, answer: StoredAnswer) -> None:
        """Store a 422 in a transaction of its own."""
        async with self.db.transaction() as tx:
            await self._answer(tx, claim, fingerprint, answer)

    async def release(self, claim: Claim) -> None:
        """Free the key."""
        async with self.db.transaction() as tx:
            await tx.execute(delete(self.table).where(*self._still_ours(claim)))

    async def forget_owner(self, tx: WriteConnection, owner_id: str, *, before: datetime) -> None:
        """Erase what is kept of a user; requests under way fail when they want to commit."""
        table = self.table
        await tx.execute(
            delete(table).where(table.c.owner_id == owner_id, table.c.claimed_at < before)
        )

    async def purge(self) -> int:
        """Remove what no retry may see any more; how many keys that were."""
        table = self.table
        old = func.now() - _REPLAY_FOR
        async with self.db.transaction() as tx:
            result = await tx.execute(
                delete(table).where(
                    table.c.claimed_at < old,
                    or_(table.c.answered_at.is_(None), table.c.answered_at < old),
                )
            )
            return result.rowcount

    async def _take(self, tx: WriteConnection, digest: bytes, owner_id: str) -> UUID | None:
        table = self.table
        fresh = {
            "token": uuid4(),
            "claimed_at": func.now(),
            "answered_at": null(),
            "fingerprint": null(),
            "status": null(),
            "headers": null(),
            "body": null(),
        }
        given_up = table.c.answered_at.is_(None) & (
            table.c.claimed_at < func.now() - _TAKEOVER_AFTER
        )
        forgotten = table.c.answered_at < func.now() - _REPLAY_FOR
        statement = (
            insert(table)
            .values(digest=digest, owner_id=owner_id, **fresh)
            .on_conflict_do_update(
                index_elements=[table.c.digest], set_=fresh, where=or_(given_up, forgotten)
            )
            .returning(table.c.token)
        )
        token: UUID | None = (await tx.execute(statement)).scalar_one_or_none()
        return token

    async def _find(self, tx: WriteConnection, digest: bytes) -> Row[Any] | None:
        return (await tx.execute(select(self.table).where(self.table.c.digest == digest))).first()

    async def _answer(
        self, tx: WriteConnection, claim: Claim, fingerprint: bytes, answer: StoredAnswer
    ) -> bool:
        result = await tx.execute(
            update(self.table)
            .where(*self._still_ours(claim))
            .values(
                answered_at=func.now(),
                fingerprint=fingerprint,
                status=answer.status,
                headers=dict(answer.headers),
                body=answer.body,
            )
        )
        return result.rowcount == 1

    def _still_ours(self, claim: Claim) -> tuple[ColumnElement[bool], ...]:
        table = self.table
        return (
            table.c.digest == claim.digest,
            table.c.token == claim.token,
            table.c.answered_at.is_(None),
        )


def _answered(digest: bytes, row: Row[Any]) -> Claim:
    if row.answered_at is None:
        raise IdempotencyInFlightError
    answer = StoredAnswer(row.status, row.headers, row.body)
    return Claim(digest, row.token, row.fingerprint, answer)
