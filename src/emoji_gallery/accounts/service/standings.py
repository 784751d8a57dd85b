"""What is stored of users, as a process knows it."""

from __future__ import annotations

from functools import partial
from typing import Final

from emoji_gallery.accounts.rules.standing import Standing
from emoji_gallery.accounts.service.recent import Recent
from emoji_gallery.accounts.service.tiers import BELIEVED_FOR
from emoji_gallery.accounts.store import users as store
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database

# Users whom one process knows at a time; each takes some hundred bytes.
_USERS_KEPT: Final = 20_000


class Standings:
    """Stored tiers and revocations, each read again when older than `BELIEVED_FOR`."""

    def __init__(self, *, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._recent: Recent[UserId, Standing] = Recent(
            size=_USERS_KEPT, ttl=BELIEVED_FOR, clock=clock
        )

    async def of(self, user_id: UserId) -> Standing:
        """What is stored of a user; raises `UnavailableError` without a database."""
        return await self._recent.get_or_load(user_id, partial(self._read, user_id))

    async def remember(self, user_id: UserId) -> None:
        """Give a row to a user who is here for the first time, or again after an erasure."""
        async with self._db.transaction() as tx:
            await store.remember_user(tx, user_id, now=self._clock())
        self.forget(user_id)

    def forget(self, user_id: UserId) -> None:
        """Read the user again next time."""
        self._recent.forget(user_id)

    async def _read(self, user_id: UserId) -> Standing:
        async with self._db.reading() as connection:
            return await store.standing_of(connection, user_id)
