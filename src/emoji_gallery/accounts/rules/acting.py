"""The `Emoji-Actor` header: the user that a service acts for."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from emoji_gallery.contracts.ids import UserId, is_user_id

# Visible ASCII in which every % starts an escape, so that what was sent raw and what was
# encoded can never mean two things.
_ENCODED: Final = re.compile(r"(?:[!-$&-~]|%[0-9A-Fa-f]{2})+")


class UnreadableActorError(ValueError):
    """The header does not name a user."""


def acted_for(header: str) -> UserId:
    """The user id in the header, percent-encoded UTF-8; raises `UnreadableActorError`."""
    if _ENCODED.fullmatch(header) is None:
        raise UnreadableActorError
    try:
        subject = unquote_to_bytes(header).decode()
    except UnicodeDecodeError as error:
        raise UnreadableActorError from error
    if not is_user_id(subject):
        raise UnreadableActorError
    return UserId(subject)
