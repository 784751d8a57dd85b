"""Unknown query parameters are refused, so that a misspelt filter is not ignored."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from emoji_gallery.kit.errors import InvalidInputError


async def refuse_unknown_query(request: Request) -> None:
    """A dependency of every route; raises `InvalidInputError` naming what is unknown."""
    if not request.url.query:
        return
    route = request.scope["route"]
    known = set(_declared(route.dependant)) if isinstance(route, APIRoute) else set()
    unknown = sorted(set(request.query_params.keys()) - known)
    if unknown:
        message = f"Unknown query parameters: {', '.join(unknown)}."
        raise InvalidInputError(message, parameters=unknown, known=sorted(known))
    # PostgreSQL stores no NUL in text, so no name, tag or id that is asked for can hold one.
    if any("\0" in value for _, value in request.query_params.multi_items()):
        message = "Query parameters hold no NUL character."
        raise InvalidInputError(message)


def _declared(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        yield field.alias
    for inner in dependant.dependencies:
        yield from _declared(inner)
