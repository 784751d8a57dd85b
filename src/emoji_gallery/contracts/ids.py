"""The ids of the domain. On the wire each is a TypeID with the prefix named here."""

from __future__ import annotations

from typing import Final, NewType
from uuid import UUID

UserId = NewType("UserId", str)  # the identity provider's `sub`, at most 128 characters
EmojiId = NewType("EmojiId", UUID)
UserEmojiId = NewType("UserEmojiId", UUID)
PackId = NewType("PackId", UUID)
Digest = NewType("Digest", str)  # SHA-256 of an asset's source, 64 lower-case hex digits

EMOJI_PREFIX: Final = "emj"
USER_EMOJI_PREFIX: Final = "uem"
PACK_PREFIX: Final = "pck"
