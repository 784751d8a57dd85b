"""`/emoji/{id}`, `/user/emojis/{user_id}` and `/me`: what is done with uploads afterwards."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Response

from emoji_gallery.contracts.ids import UserEmojiId, UserId
from emoji_gallery.edge.auth import SignedInActor
from emoji_gallery.edge.documented_problems import problems
from emoji_gallery.edge.paging import (
    DEFAULT_LIMIT,
    Cursor,
    CursorCodec,
    InvalidCursorError,
    Limit,
    next_link,
)
from emoji_gallery.edge.paths import UserEmojiIdPath, UserIdPath
from emoji_gallery.edge.provide import Provided
from emoji_gallery.kit.errors import NotFoundError
from emoji_gallery.user_emojis.endpoints.answers import PRIVATE, answer
from emoji_gallery.user_emojis.schemas import (
    MeBody,
    UserEmojiBody,
    UserEmojiChange,
    UserEmojiListBody,
)
from emoji_gallery.user_emojis.service.browse import BrowseEmojis
from emoji_gallery.user_emojis.service.change import ChangeEmojis

_LIST: Final = "user_emojis"

router = APIRouter(tags=["user emojis"])

Browse = Annotated[BrowseEmojis, Provided(BrowseEmojis)]
Change = Annotated[ChangeEmojis, Provided(ChangeEmojis)]
Cursors = Annotated[CursorCodec, Provided(CursorCodec)]


@router.get(
    "/user/emojis/{user_id}",
    response_model=UserEmojiListBody,
    responses=problems(InvalidCursorError, NotFoundError),
)
async def list_user_emojis(
    user_id: UserIdPath,
    actor: SignedInActor,
    browse: Browse,
    cursors: Cursors,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """What a user uploaded, newest first: for the user, admins and services."""
    after = _position(cursors, user_id, cursor)
    page = await browse.page(actor, user_id, after=after, limit=limit)
    headers: dict[str, str] = {}
    next_cursor = None
    if page.last is not None:
        next_cursor = cursors.encode(_LIST, {"user_id": user_id}, [str(page.last)])
        path = f"/user/emojis/{quote(user_id, safe='')}"
        headers["Link"] = next_link(path, [("limit", str(limit))], next_cursor)
    body = UserEmojiListBody.of(page.items, total=page.total, next_cursor=next_cursor)
    return answer(body, headers=headers)


@router.get("/emoji/{emoji_id}", response_model=UserEmojiBody, responses=problems(NotFoundError))
async def get_user_emoji(
    emoji_id: UserEmojiIdPath, actor: SignedInActor, browse: Browse
) -> Response:
    """One emoji with all its renditions: for its owner, admins and services."""
    return answer(UserEmojiBody.of(await browse.get(actor, emoji_id)))


@router.patch("/emoji/{emoji_id}", response_model=UserEmojiBody, responses=problems(NotFoundError))
async def patch_user_emoji(
    emoji_id: UserEmojiIdPath, change: UserEmojiChange, actor: SignedInActor, changes: Change
) -> Response:
    """Give one's emoji another name, other tags or both."""
    view = await changes.describe(actor, emoji_id, name=change.new_name, tags=change.new_tags)
    return answer(UserEmojiBody.of(view))


@router.delete(
    "/emoji/{emoji_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(NotFoundError),
)
async def delete_user_emoji(
    emoji_id: UserEmojiIdPath, actor: SignedInActor, changes: Change
) -> Response:
    """Take one's emoji off the list and free its slot; it can be restored for 30 days."""
    await changes.delete(actor, emoji_id)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=PRIVATE)


@router.get("/me", response_model=MeBody)
async def get_me(actor: SignedInActor, browse: Browse) -> Response:
    """Who the caller is, and what the caller's tier allows."""
    return answer(MeBody.of(await browse.standing(actor)))


def _position(cursors: CursorCodec, user_id: UserId, cursor: str | None) -> UserEmojiId | None:
    if cursor is None:
        return None
    (last,) = cursors.decode(_LIST, {"user_id": user_id}, cursor)
    return UserEmojiId(UUID(str(last)))
