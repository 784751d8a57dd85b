"""What a worker does with an accepted upload: draw it, or refuse it after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.ids import UserEmojiId
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.kit.queue import Queue
from emoji_gallery.media.catalogue import listed
from emoji_gallery.media.errors import ImageRejectedError
from emoji_gallery.user_emojis.rules.retention import MAX_ATTEMPTS
from emoji_gallery.user_emojis.service.follow_up import publish_dropping
from emoji_gallery.user_emojis.store import processing, quotas
from emoji_gallery.user_emojis.store.processing import Claimed

# Why an upload is rejected that no decoder found fault with.
PROCESSING_FAILED: Final = "processing_failed"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ProcessEmoji:
    """Brings an emoji from `processing` to `ready` or `rejected`; twice changes nothing more."""

    db: Database
    assets: Assets
    queue: Queue
    clock: Clock

    async def process(self, emoji_id: UserEmojiId) -> None:
        """Draw what lists carry of an emoji.

        Returns quietly when it is done, deleted or gone. Raises `UnavailableError` and whatever
        else may go better another time.
        """
        async with self.db.transaction() as tx:
            claimed = await processing.claim(tx, emoji_id, self.clock())
        if claimed is None:
            return
        if claimed.attempts > MAX_ATTEMPTS:
            await self._reject(claimed, PROCESSING_FAILED)
            return
        try:
            await self.assets.render(claimed.digest, list(listed(claimed.shape)))
        except ImageRejectedError as refusal:
            await self._reject(claimed, str(refusal.reason))
        except UnavailableError:
            # The picture is not at fault, so that this does not count against it.
            async with self.db.transaction() as tx:
                await processing.give_up_attempt(tx, emoji_id, self.clock())
            raise
        else:
            await self._finish(claimed)

    async def _finish(self, claimed: Claimed) -> None:
        async with self.db.transaction() as tx:
            done = await processing.mark_ready(tx, claimed.id, self.clock())
        if done:
            log.info("emoji.ready", emoji_id=str(claimed.id))

    async def _reject(self, claimed: Claimed, reason: str) -> None:
        """Refuse an emoji: its slot goes back, its bytes go away, it stays listed for a while."""
        async with self.db.transaction() as tx:
            done = await processing.mark_rejected(tx, claimed.id, reason=reason, now=self.clock())
            if done:
                await quotas.give_back(tx, claimed.owner_id, used=1, listed=0)
            else:
                await processing.remove_deleted_unfinished(tx, claimed.id)
            await publish_dropping(tx, self.queue, [claimed.digest])
        if done:
            log.info("emoji.rejected", emoji_id=str(claimed.id), reason=reason)
