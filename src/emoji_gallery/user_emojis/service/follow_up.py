"""What follows a change: the one place from which tasks, and later events, are published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from emoji_gallery.contracts.ids import Digest, UserEmojiId
from emoji_gallery.kit.database import WriteConnection
from emoji_gallery.kit.queue import Queue
from emoji_gallery.user_emojis.models import DROP_FILES_TASK, PROCESS_TASK

_DIGESTS_A_TASK: Final = 100


async def publish_processing(tx: WriteConnection, queue: Queue, emoji_id: UserEmojiId) -> None:
    """Have an emoji processed after the commit; a task that already waits for it serves too."""
    await queue.publish(tx, PROCESS_TASK, {"emoji_id": str(emoji_id)}, key=str(emoji_id))


async def publish_dropping(
    tx: WriteConnection,
    queue: Queue,
    digests: Sequence[Digest],
    *,
    delay: timedelta | None = None,
) -> None:
    """Have those of the files removed after the commit that nobody needs."""
    for start in range(0, len(digests), _DIGESTS_A_TASK):
        part = digests[start : start + _DIGESTS_A_TASK]
        await queue.publish(tx, DROP_FILES_TASK, {"digests": list(part)}, delay=delay)
