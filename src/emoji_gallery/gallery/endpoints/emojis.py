"""`/gallery` and `/gallery/{id}`: what the editor shows, and what curators decide."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from emoji_gallery.contracts.identity import Actor
from emoji_gallery.contracts.ids import EMOJI_PREFIX
from emoji_gallery.edge.auth import CurrentActor, RequireScope
from emoji_gallery.edge.documented_problems import problems
from emoji_gallery.edge.pages import Answer, page_of
from emoji_gallery.edge.paging import InvalidCursorError
from emoji_gallery.edge.paths import EmojiIdPath
from emoji_gallery.edge.provide import Provided
from emoji_gallery.gallery.endpoints.cursors import PageCursors
from emoji_gallery.gallery.endpoints.pages import WantedPart, page_answer
from emoji_gallery.gallery.endpoints.parameters import Language, WantedListing
from emoji_gallery.gallery.rules.listing import PageRequest
from emoji_gallery.gallery.schemas import EmojiBody, EmojiChange, EmojiPageBody
from emoji_gallery.gallery.schemas.answers import Answers
from emoji_gallery.gallery.service.browsing import BrowseGallery, SeenEmoji
from emoji_gallery.gallery.service.curating import CurateEmoji
from emoji_gallery.kit.errors import ForbiddenError, NotFoundError, PreconditionFailedError
from emoji_gallery.kit.typeids import format_id

router = APIRouter(prefix="/gallery", tags=["gallery"])

Browse = Annotated[BrowseGallery, Provided(BrowseGallery)]
Curate = Annotated[CurateEmoji, Provided(CurateEmoji)]
Written = Annotated[Answers, Provided(Answers)]
Cursors = Annotated[PageCursors, Provided(PageCursors)]
Curator = Annotated[Actor, Depends(RequireScope(("curator",)))]

IncludeLocked = Annotated[
    bool, Query(description="Show an emoji of a higher tier too, with a preview alone.")
]
IfMatch = Annotated[
    str | None,
    Header(
        description="The `ETag` of `GET /gallery/{id}` without parameters; if the emoji has "
        "changed since, the answer is 412."
    ),
]


@router.get(
    "",
    response_model=EmojiPageBody,
    responses=problems(InvalidCursorError, ForbiddenError),
)
async def list_gallery(
    request: Request,
    actor: CurrentActor,
    wanted: WantedListing,
    browse: Browse,
    written: Written,
    cursors: Cursors,
    part: WantedPart,
) -> Response:
    """The in-house emojis that the caller's tier has, by position."""
    wanted_page = PageRequest(part.limit, cursors.place(wanted, part.cursor))
    page = await browse.page(actor, wanted, wanted_page)
    next_cursor = cursors.of_place(wanted, page.next)
    body = written.page(page, next_cursor, curator=actor.has_scope("curator"))
    return page_answer(request, body, next_cursor, surrogate_key="gallery")


@router.get("/{emoji_id}", response_model=EmojiBody, responses=problems(NotFoundError))
async def get_gallery_emoji(
    request: Request,
    emoji_id: EmojiIdPath,
    actor: CurrentActor,
    browse: Browse,
    written: Written,
    locale: Language,
    *,
    include_locked: IncludeLocked = False,
) -> Response:
    """One emoji with all its renditions."""
    seen = await browse.one(actor, emoji_id, locale=locale, include_locked=include_locked)
    body = written.emoji(seen, curator=actor.has_scope("curator"))
    keys = f"gallery {format_id(EMOJI_PREFIX, emoji_id)}"
    return page_answer(request, body, None, surrogate_key=keys)


@router.patch(
    "/{emoji_id}",
    response_model=EmojiBody,
    responses=problems(ForbiddenError, NotFoundError, PreconditionFailedError),
)
async def patch_gallery_emoji(
    emoji_id: EmojiIdPath,
    change: EmojiChange,
    actor: Curator,
    curate: Curate,
    written: Written,
    if_match: IfMatch = None,
) -> Response:
    """Decide about an emoji; packs imported later leave what was decided."""

    def holds(seen: SeenEmoji) -> bool:
        return if_match is None or _is_named(_tag(written.emoji(seen, curator=True)), if_match)

    seen = await curate.change(actor, emoji_id, change.decision, holds=holds)
    body = written.emoji(seen, curator=True)
    headers = {"Cache-Control": "private, no-store", "ETag": _tag(body)}
    return Response(body, headers=headers, media_type="application/json")


def _tag(body: bytes) -> str:
    return page_of(Answer(HTTPStatus.OK, [], body)).etag.decode()


def _is_named(tag: str, if_match: str) -> bool:
    """Whether a tag is among those of `If-Match`, by strong comparison (RFC 9110, 13.1.1)."""
    return if_match.strip() == "*" or tag in (one.strip() for one in if_match.split(","))
