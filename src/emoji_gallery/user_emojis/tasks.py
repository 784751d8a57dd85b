"""What a worker runs of this feature."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.ids import Digest, UserEmojiId
from emoji_gallery.kit.periodic import PeriodicTask
from emoji_gallery.kit.queue import Payload, PermanentTaskError, RetryPolicy, TaskHandler
from emoji_gallery.user_emojis.models import DROP_FILES_TASK, PROCESS_TASK, SCHEMA
from emoji_gallery.user_emojis.service.process import ProcessEmoji
from emoji_gallery.user_emojis.service.sweep import SweepEmojis

# Files of somebody who was erased are owed removal: it is tried for days.
_DROP_RETRY = RetryPolicy(attempts=60, longest_delay=timedelta(hours=1))


def handlers(process: ProcessEmoji, assets: Assets) -> Sequence[TaskHandler]:
    """One handler for every task that is declared."""

    async def process_emoji(payload: Payload) -> None:
        await process.process(_emoji_id(payload))

    async def drop_files(payload: Payload) -> None:
        digests = payload.get("digests")
        if not isinstance(digests, Sequence) or isinstance(digests, str):
            raise PermanentTaskError("dropping names digests")
        await assets.collect_now([Digest(str(digest)) for digest in digests])

    return [
        TaskHandler(task=PROCESS_TASK, handle=process_emoji),
        TaskHandler(task=DROP_FILES_TASK, handle=drop_files, retry=_DROP_RETRY),
    ]


def periodic(sweep: SweepEmojis) -> Sequence[PeriodicTask]:
    """What is done every so often."""
    return [
        PeriodicTask(f"{SCHEMA}.resume", timedelta(minutes=1), sweep.resume),
        PeriodicTask(f"{SCHEMA}.purge", timedelta(hours=1), sweep.purge),
    ]


def _emoji_id(payload: Payload) -> UserEmojiId:
    try:
        return UserEmojiId(UUID(str(payload.get("emoji_id"))))
    except ValueError as error:
        raise PermanentTaskError("processing names an emoji") from error
