"""`/gallery/categories` and `/gallery/packs`: what there is to filter by."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from emoji_gallery.edge.auth import CurrentActor
from emoji_gallery.edge.documented_problems import problems
from emoji_gallery.edge.paging import InvalidCursorError
from emoji_gallery.edge.provide import Provided
from emoji_gallery.gallery.endpoints.cursors import PageCursors
from emoji_gallery.gallery.endpoints.pages import WantedPart, page_answer
from emoji_gallery.gallery.endpoints.parameters import Language, read_locale
from emoji_gallery.gallery.schemas import CategoryPageBody, PackPageBody
from emoji_gallery.gallery.schemas.answers import categories_answer, packs_answer
from emoji_gallery.gallery.service.browsing import BrowseGallery

# These paths go before `/gallery/{id}`, which would take their names for ids.
router = APIRouter(prefix="/gallery", tags=["gallery"])

Browse = Annotated[BrowseGallery, Provided(BrowseGallery)]
Cursors = Annotated[PageCursors, Provided(PageCursors)]


@router.get("/categories", response_model=CategoryPageBody, responses=problems(InvalidCursorError))
async def list_categories(
    request: Request,
    actor: CurrentActor,
    browse: Browse,
    cursors: Cursors,
    locale: Language,
    part: WantedPart,
) -> Response:
    """The categories, in the gallery's order, with what the caller's tier has in each."""
    page = await browse.categories(
        actor, locale=locale, after=cursors.category(part.cursor), limit=part.limit
    )
    next_cursor = cursors.of_category(page.next)
    body = categories_answer(page, next_cursor)
    return page_answer(request, body, next_cursor, surrogate_key="gallery gallery-categories")


@router.get(
    "/packs",
    response_model=PackPageBody,
    dependencies=[Depends(read_locale)],
    responses=problems(InvalidCursorError),
)
async def list_packs(
    request: Request,
    actor: CurrentActor,
    browse: Browse,
    cursors: Cursors,
    part: WantedPart,
) -> Response:
    """The packs by name, with what the caller's tier has of each; labels are the packs' own."""
    page = await browse.packs(actor, after=cursors.pack(part.cursor), limit=part.limit)
    next_cursor = cursors.of_pack(page.next)
    body = packs_answer(page, next_cursor)
    return page_answer(request, body, next_cursor, surrogate_key="gallery gallery-packs")
