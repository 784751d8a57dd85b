"""Tasks of accounts."""

from __future__ import annotations

from datetime import datetime, timedelta

from emoji_gallery.accounts.models import ERASE_USER
from emoji_gallery.accounts.service.erasure import EraseUser
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.queue import Payload, PermanentTaskError, RetryPolicy, TaskHandler

# An erasure is owed: it is tried for days before somebody has to look at it.
_RETRY = RetryPolicy(attempts=100, longest_delay=timedelta(hours=1))


def erasure_handler(erasure: EraseUser) -> TaskHandler:
    """Goes on with an erasure whose first attempt did not reach everything."""

    async def handle(payload: Payload) -> None:
        user_id, before = payload.get("user_id"), payload.get("before")
        if not isinstance(user_id, str) or not isinstance(before, str):
            raise PermanentTaskError("an erasure names a user and a time")
        await erasure.erase_data(UserId(user_id), before=datetime.fromisoformat(before))

    return TaskHandler(task=ERASE_USER, handle=handle, retry=_RETRY)
