"""Paths as the contract reads them.

A path with and without its final slash is the same, without a redirect, and a `%2F`
inside a segment belongs to the segment: user ids may hold a slash. So routing sees paths
in which `%2F` and `%25` are still encoded, and `UserIdPath` decodes those two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote
from uuid import UUID

from fastapi import Depends, Path
from starlette.types import ASGIApp, Receive, Scope, Send

from emoji_gallery.contracts.ids import (
    EMOJI_PREFIX,
    MAX_USER_ID_CHARACTERS,
    USER_EMOJI_PREFIX,
    EmojiId,
    UserEmojiId,
    UserId,
    is_user_id,
)
from emoji_gallery.kit.errors import InvalidInputError, NotFoundError
from emoji_gallery.kit.typeids import InvalidIdError, parse_id


@dataclass(frozen=True)
class NormalisePath:
    """ASGI middleware that rewrites `path` before anything looks at it."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with the path that routing and limits see."""
        if scope["type"] == "http":
            # In place, so that outer layers see what routing adds to the scope.
            scope["path"] = _routable(scope.get("raw_path"), scope["path"])
        await self.app(scope, receive, send)


def _routable(raw: bytes | None, decoded: str) -> str:
    path = decoded
    if raw is not None and b"%" in raw:
        text = raw.partition(b"?")[0].decode("latin-1")
        kept = text.replace("%25", "%2525").replace("%2F", "%252F").replace("%2f", "%252F")
        path = unquote(kept)
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    return path


def checked_user_id(text: str) -> UserId:
    """A user id that can exist; raises `InvalidInputError` for one that cannot."""
    if not is_user_id(text):
        message = f"A user id has 1 to {MAX_USER_ID_CHARACTERS} printable characters."
        raise InvalidInputError(message)
    return text


async def _user_id(user_id: Annotated[str, Path(description="The user's `sub`.")]) -> UserId:
    return checked_user_id(unquote(user_id))


def _uuid_or_404(prefix: str, text: str) -> UUID:
    try:
        return parse_id(prefix, text)
    except InvalidIdError:
        raise NotFoundError from None


async def _emoji_id(emoji_id: Annotated[str, Path(description="`emj_…`")]) -> EmojiId:
    return EmojiId(_uuid_or_404(EMOJI_PREFIX, emoji_id))


async def _user_emoji_id(emoji_id: Annotated[str, Path(description="`uem_…`")]) -> UserEmojiId:
    return UserEmojiId(_uuid_or_404(USER_EMOJI_PREFIX, emoji_id))


UserIdPath = Annotated[UserId, Depends(_user_id)]
EmojiIdPath = Annotated[EmojiId, Depends(_emoji_id)]
UserEmojiIdPath = Annotated[UserEmojiId, Depends(_user_emoji_id)]
