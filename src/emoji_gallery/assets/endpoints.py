"""`/media`: the files themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from emoji_gallery.assets.errors import RangeNotSatisfiableError
from emoji_gallery.assets.rules.signing import Signature
from emoji_gallery.assets.service.delivery import Asked, DeliverRendition
from emoji_gallery.edge.addresses import ClientAddresses
from emoji_gallery.edge.documented_problems import problems
from emoji_gallery.edge.provide import Provided
from emoji_gallery.kit.errors import ForbiddenError, NotFoundError
from emoji_gallery.media.catalogue import CONTENT_TYPES

router = APIRouter(tags=["media"])

Addresses = Annotated[ClientAddresses, Provided(ClientAddresses)]
Delivery = Annotated[DeliverRendition, Provided(DeliverRendition)]
Parameter = Annotated[str | None, Query(description="From the URL that a list carries.")]

_FILE: Final[Mapping[str, object]] = {
    "content": {kind: {} for kind in CONTENT_TYPES.values()},
    "description": "The file, or the part of it that was asked for.",
}


async def _signature(
    expires: Parameter = None, key: Parameter = None, signature: Parameter = None
) -> Signature | None:
    if expires is None or key is None or signature is None:
        return None
    return Signature(expires, key, signature)


async def _asked(
    request: Request,
    addresses: Addresses,
    digest: str,
    rendition: str,
    signature: Annotated[Signature | None, Depends(_signature)],
) -> Asked:
    headers = request.headers
    return Asked(
        digest,
        rendition,
        signature,
        address=addresses.of(request.scope),
        range=headers.get("range"),
        if_range=headers.get("if-range"),
        if_match=headers.get("if-match"),
        if_none_match=headers.get("if-none-match"),
    )


@router.get(
    "/media/{digest}/{rendition}",
    summary="One rendition of a picture",
    response_class=Response,
    responses={
        200: dict(_FILE),
        206: dict(_FILE),
        304: {"description": "The client has it."},
        **problems(ForbiddenError, NotFoundError, RangeNotSatisfiableError),
    },
)
async def get_media(asked: Annotated[Asked, Depends(_asked)], delivery: Delivery) -> Response:
    """Answer the file, made on first demand; in-house free art needs no signature."""
    answer = await delivery.answer(asked)
    if isinstance(answer.body, bytes):
        return Response(answer.body, answer.status, headers=answer.headers)
    return StreamingResponse(answer.body, answer.status, headers=answer.headers)


@router.head("/media/{digest}/{rendition}", include_in_schema=False)
async def head_media(asked: Annotated[Asked, Depends(_asked)], delivery: Delivery) -> Response:
    """Answer the headers that GET without a range would have."""
    answer = await delivery.answer(asked.without_range())
    return Response(status_code=answer.status, headers=answer.headers)
