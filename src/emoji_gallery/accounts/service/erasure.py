"""Erasure and export: all that is kept of a user, wherever a feature keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from emoji_gallery.accounts.models import ERASE_USER
from emoji_gallery.accounts.service.credentials import KeyRing
from emoji_gallery.accounts.service.standings import Standings
from emoji_gallery.accounts.store import keys as key_store
from emoji_gallery.accounts.store import users as user_store
from emoji_gallery.contracts.identity import UserData
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.queue import Queue

# How long the caller of an erasure waits for the features before it is told 202.
_PATIENCE_SECONDS: Final = 10.0

# The task is the second attempt, for what the first one, right after the commit, left over.
_SECOND_ATTEMPT_AFTER: Final = timedelta(seconds=15)

log = structlog.get_logger(__name__)


class ErasureIncompleteError(Exception):
    """Some features could not erase what they keep; the erasure is to be tried again."""


@dataclass(frozen=True)
class EraseUser:
    """Erases a user: what accounts keeps at once, what features keep through their ports.

    Erasing twice changes nothing. What the same `sub` makes after the erasure began is left
    alone: the user may start afresh with a token that still holds.
    """

    db: Database
    queue: Queue
    user_data: Sequence[UserData]
    standings: Standings
    keys: KeyRing
    clock: Clock
    go_on_after: timedelta = _SECOND_ATTEMPT_AFTER

    async def erase(self, user_id: UserId) -> bool:
        """Erase; False when a part is left to the task that goes on with it."""
        now = self.clock()
        async with self.db.transaction() as tx:
            await key_store.erase_keys(tx, user_id)
            await user_store.erase_user(tx, user_id, now=now)
            await self.queue.publish(
                tx,
                ERASE_USER,
                {"user_id": user_id, "before": now.isoformat()},
                delay=self.go_on_after,
            )
        self.keys.forget_user(user_id)
        self.standings.forget(user_id)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self.erase_data(user_id, before=now)
        except (ErasureIncompleteError, TimeoutError):
            return False
        return True

    async def erase_data(self, user_id: UserId, *, before: datetime) -> None:
        """Let every feature erase what was made before a time.

        One that fails keeps no other from it; raises `ErasureIncompleteError` in the end.
        """
        outcomes = await asyncio.gather(
            *(part.erase(user_id, before=before) for part in self.user_data),
            return_exceptions=True,
        )
        failed = False
        for part, outcome in zip(self.user_data, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                failed = True
                log.error("erasure.part_failed", part=part.name, exc_info=outcome)
        if failed:
            raise ErasureIncompleteError
