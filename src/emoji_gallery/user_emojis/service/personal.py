"""What this feature keeps of a user: the port `UserData`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.ids import USER_EMOJI_PREFIX, UserId
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.jsontypes import JSON
from emoji_gallery.kit.queue import Queue
from emoji_gallery.kit.typeids import format_id
from emoji_gallery.user_emojis.models import Status, UserEmoji
from emoji_gallery.user_emojis.service.follow_up import publish_dropping
from emoji_gallery.user_emojis.store import emojis as emoji_store
from emoji_gallery.user_emojis.store import erasures
from emoji_gallery.user_emojis.store import quotas as quota_store
from emoji_gallery.user_emojis.store.keys import UserEmojiKeys

# A collector that failed keeps others from its files for a minute or so.
_SECOND_ATTEMPT_AFTER: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class UploadsOfUser:
    """Erases and exports uploads; fulfils `UserData`."""

    db: Database
    assets: Assets
    queue: Queue
    keys: UserEmojiKeys

    @property
    def name(self) -> str:
        """Where uploads appear in a user's export."""
        return "emojis"

    async def erase(self, user_id: UserId, *, before: datetime) -> None:
        """Remove the rows of what was made before a time, and then the files nobody else needs.

        A request of that user that is still under way keeps nothing either.
        """
        async with self.db.transaction() as tx:
            await emoji_store.lock_owner(tx, user_id)
            await erasures.note(tx, user_id, before)
            gone = await emoji_store.remove_made_before(tx, user_id, before)
            living = [emoji for emoji in gone if emoji.deleted_at is None]
            used = sum(emoji.status is not Status.REJECTED for emoji in living)
            await quota_store.give_back(tx, user_id, used=used, listed=len(living))
            await quota_store.forget_if_empty(tx, user_id)
            await self.keys.forget_owner(tx, user_id, before=before)
            digests = sorted({emoji.digest for emoji in gone})
            await publish_dropping(tx, self.queue, digests, delay=_SECOND_ATTEMPT_AFTER)
        # The task is for the case that this, or the process, fails.
        await self.assets.collect_now(digests)

    async def export(self, user_id: UserId) -> JSON:
        """Every emoji of the user, the deleted and rejected ones too, oldest first."""
        async with self.db.reading() as connection:
            rows = await emoji_store.all_of(connection, user_id)
        return [_exported(row) for row in rows]


def _exported(emoji: UserEmoji) -> JSON:
    return {
        "id": format_id(USER_EMOJI_PREFIX, emoji.id),
        "name": emoji.name,
        "tags": list(emoji.tags),
        "status": str(emoji.status),
        "reason": emoji.reason,
        "original_name": emoji.original_name,
        "bytes": emoji.bytes,
        "format": str(emoji.probe.format),
        "width": emoji.probe.width,
        "height": emoji.probe.height,
        "frames": emoji.probe.frames,
        "duration_ms": emoji.probe.duration_ms,
        "version": emoji.digest,
        "created_at": emoji.created_at.isoformat(),
        "updated_at": emoji.updated_at.isoformat(),
        "deleted_at": emoji.deleted_at.isoformat() if emoji.deleted_at else None,
    }
