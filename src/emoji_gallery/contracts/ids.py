"""The ids of the domain. On the wire each is a TypeID with the prefix named here."""

from __future__ import annotations

from typing import Final, NewType, TypeGuard
from uuid import UUID

UserId = NewType("UserId", str)  # the identity provider's `sub`, at most 128 characters
EmojiId = NewType("EmojiId", UUID)
UserEmojiId = NewType("UserEmojiId", UUID)
PackId = NewType("PackId", UUID)
Digest = NewType("Digest", str)  # SHA-256 of an asset's source, 64 lower-case hex digits

EMOJI_PREFIX: Final = "emj"
USER_EMOJI_PREFIX: Final = "uem"

MAX_USER_ID_CHARACTERS: Final = 128


def is_user_id(value: object) -> TypeGuard[UserId]:
    """Whether a value can be a user's id: printable text of 1 to 128 characters.

    What is not printable (control and format characters, lone surrogates) either cannot be
    stored or reads like another id in a log.
    """
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_USER_ID_CHARACTERS
        and value.isprintable()
        and "\N{REPLACEMENT CHARACTER}" not in value
    )
