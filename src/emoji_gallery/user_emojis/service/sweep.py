"""What is done every so often: take up what was left behind, let go of what has had its time."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog

from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database, WriteConnection
from emoji_gallery.kit.queue import Queue
from emoji_gallery.user_emojis.rules.retention import (
    LEFT_BEHIND_AFTER,
    LONGEST_REQUEST,
    REJECTED_LISTED_FOR,
    RESTORABLE_FOR,
)
from emoji_gallery.user_emojis.service.follow_up import publish_processing
from emoji_gallery.user_emojis.store import erasures, processing
from emoji_gallery.user_emojis.store.keys import UserEmojiKeys

# So many rows a transaction, lest one of them holds many locks for long.
_BATCH_ROWS: Final = 200

log = structlog.get_logger(__name__)


class _Purge(Protocol):
    def __call__(
        self, tx: WriteConnection, /, *, before: datetime, limit: int
    ) -> Awaitable[int]: ...


@dataclass(frozen=True)
class SweepEmojis:
    """Keeps the tables as a crash-free life would have left them."""

    db: Database
    queue: Queue
    keys: UserEmojiKeys
    clock: Clock

    async def resume(self) -> None:
        """Have those emojis processed again that a crash left half-done.

        One that is merely slow is processed twice, which changes nothing.
        """
        before = self.clock() - LEFT_BEHIND_AFTER
        async with self.db.transaction() as tx:
            found = await processing.left_behind(tx, untouched_since=before, limit=_BATCH_ROWS)
            for emoji_id in sorted(found):
                await publish_processing(tx, self.queue, emoji_id)
        if found:
            log.warning("emojis.resumed", count=len(found))

    async def purge(self) -> None:
        """Delete for good what has been rejected or deleted for long enough, and old answers."""
        now = self.clock()
        await self._in_batches(processing.purge_rejected, before=now - REJECTED_LISTED_FOR)
        await self._in_batches(processing.purge_deleted, before=now - RESTORABLE_FOR)
        async with self.db.transaction() as tx:
            await erasures.forget(tx, before=now - LONGEST_REQUEST)
        await self.keys.purge()

    async def _in_batches(self, purge: _Purge, *, before: datetime) -> None:
        removed = _BATCH_ROWS
        while removed == _BATCH_ROWS:
            async with self.db.transaction() as tx:
                removed = await purge(tx, before=before, limit=_BATCH_ROWS)
