"""What the gallery's answers have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response

from emoji_gallery.edge.paging import DEFAULT_LIMIT, Cursor, Limit, next_link


@dataclass(frozen=True)
class PagePart:
    """Which part of a list is asked for."""

    limit: int
    cursor: str | None


def _part(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> PagePart:
    return PagePart(limit, cursor)


WantedPart = Annotated[PagePart, Depends(_part)]


def page_answer(
    request: Request, body: bytes, next_cursor: str | None, *, surrogate_key: str
) -> Response:
    """An answer that the edge may keep, under the keys by which an outer cache is purged."""
    headers = {"Surrogate-Key": surrogate_key}
    if next_cursor is not None:
        parameters = request.query_params.multi_items()
        headers["Link"] = next_link(request.url.path, parameters, next_cursor)
    return Response(body, headers=headers, media_type="application/json")
