"""The two POSTs, which take a slot and may be repeated: upload and restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response

from emoji_gallery.contracts.ids import USER_EMOJI_PREFIX
from emoji_gallery.edge.auth import SignedInActor
from emoji_gallery.edge.documented_problems import problems
from emoji_gallery.edge.paths import UserEmojiIdPath
from emoji_gallery.edge.provide import Provided
from emoji_gallery.edge.retries import retryable
from emoji_gallery.kit.database import WriteConnection
from emoji_gallery.kit.errors import NotFoundError
from emoji_gallery.kit.idempotency import IdempotencyInFlightError, IdempotencyKeyReusedError
from emoji_gallery.kit.objects import StorageFullError
from emoji_gallery.kit.typeids import format_id
from emoji_gallery.user_emojis.endpoints.answers import answer
from emoji_gallery.user_emojis.endpoints.body import BodyOfUpload
from emoji_gallery.user_emojis.endpoints.prefer import requested_wait
from emoji_gallery.user_emojis.errors import (
    FileTooLargeError,
    ImageRefusedError,
    SlowBodyError,
    UnsupportedFormatError,
    UploadLimitReachedError,
)
from emoji_gallery.user_emojis.rules.names import MAX_NAME_CHARACTERS
from emoji_gallery.user_emojis.rules.tags import MAX_TAG_CHARACTERS, MAX_TAGS
from emoji_gallery.user_emojis.schemas import UserEmojiBody
from emoji_gallery.user_emojis.service.browse import BrowseEmojis
from emoji_gallery.user_emojis.service.change import ChangeEmojis
from emoji_gallery.user_emojis.service.upload import Accepted, UploadEmoji
from emoji_gallery.user_emojis.service.view import EmojiView
from emoji_gallery.user_emojis.store.keys import UserEmojiKeys

_UPLOAD_BODY: Final[Mapping[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "additionalProperties": False,
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": "PNG, JPEG, GIF, WebP, AVIF or SVG, told by its bytes.",
                    },
                    "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARACTERS},
                    "tags": {
                        "type": "array",
                        "maxItems": MAX_TAGS,
                        "items": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": MAX_TAG_CHARACTERS,
                        },
                    },
                },
            },
            "encoding": {"tags": {"style": "form", "explode": True}},
        }
    },
}
_LOCATION: Final = {"Location": {"schema": {"type": "string"}, "description": "`/emoji/uem_…`"}}

router = APIRouter(tags=["user emojis"])

Uploads = Annotated[UploadEmoji, Provided(UploadEmoji)]
Browse = Annotated[BrowseEmojis, Provided(BrowseEmojis)]
Change = Annotated[ChangeEmojis, Provided(ChangeEmojis)]
Keys = Annotated[UserEmojiKeys, Provided(UserEmojiKeys)]
Prefer = Annotated[
    str | None,
    Header(description="`wait=5` waits up to 5 s for the emoji to be ready (RFC 7240)."),
]

_RETRY_PARAMETER: Final[Mapping[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
    "description": "A repetition with the same key gets the first answer again for 24 hours.",
}


@router.post(
    "/emoji",
    status_code=HTTPStatus.CREATED,
    response_model=UserEmojiBody,
    responses={
        HTTPStatus.OK: {
            "model": UserEmojiBody,
            "description": "The owner has this picture already.",
        },
        HTTPStatus.CREATED: {"headers": _LOCATION},
        **problems(
            UploadLimitReachedError,
            SlowBodyError,
            IdempotencyInFlightError,
            FileTooLargeError,
            UnsupportedFormatError,
            ImageRefusedError,
            IdempotencyKeyReusedError,
            StorageFullError,
        ),
    },
    openapi_extra={"requestBody": _UPLOAD_BODY, "parameters": [_RETRY_PARAMETER]},
)
async def upload_emoji(
    request: Request,
    body: BodyOfUpload,
    actor: SignedInActor,
    uploads: Uploads,
    browse: Browse,
    keys: Keys,
    prefer: Prefer = None,
) -> Response:
    """Upload a picture as one's own emoji; it takes a slot until it is deleted or rejected."""
    async with (
        retryable(request, actor, keys) as attempt,
        uploads.receiving(actor, body) as upload,
    ):
        if (earlier := attempt.replay(upload.received.fingerprint)) is not None:
            return earlier

        async def keep(tx: WriteConnection, accepted: Accepted) -> None:
            await attempt.keep(tx, _accepted(accepted))

        accepted = await uploads.accept(upload, keep=keep)
    wait = requested_wait(prefer)
    if wait is None:
        return _accepted(accepted)
    settled = replace(accepted, view=await browse.settled(accepted.view, within=wait))
    return _accepted(settled, {"Preference-Applied": f"wait={wait.total_seconds():.0f}"})


@router.post(
    "/emoji/{emoji_id}/restore",
    response_model=UserEmojiBody,
    responses=problems(
        UploadLimitReachedError, NotFoundError, IdempotencyInFlightError, IdempotencyKeyReusedError
    ),
    openapi_extra={"parameters": [_RETRY_PARAMETER]},
)
async def restore_user_emoji(
    request: Request,
    emoji_id: UserEmojiIdPath,
    actor: SignedInActor,
    changes: Change,
    keys: Keys,
) -> Response:
    """Put one's deleted emoji back on the list, within 30 days and if the limit allows."""
    async with retryable(request, actor, keys) as attempt:
        # The key belongs to this path, which says all that is asked for.
        if (earlier := attempt.replay(b"restore")) is not None:
            return earlier

        async def keep(tx: WriteConnection, view: EmojiView) -> None:
            await attempt.keep(tx, answer(UserEmojiBody.of(view)))

        return answer(UserEmojiBody.of(await changes.restore(actor, emoji_id, keep=keep)))


def _accepted(accepted: Accepted, headers: Mapping[str, str] | None = None) -> Response:
    emoji_id = format_id(USER_EMOJI_PREFIX, accepted.view.emoji.id)
    return answer(
        UserEmojiBody.of(accepted.view),
        status=HTTPStatus.CREATED if accepted.is_new else HTTPStatus.OK,
        headers={"Location": f"/emoji/{emoji_id}", **(headers or {})},
    )
