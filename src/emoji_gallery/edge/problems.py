"""Every error answer is `application/problem+json` (RFC 9457) with a stable code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from emoji_gallery.kit.errors import ProblemError
from emoji_gallery.kit.jsontypes import JSON

MEDIA_TYPE: Final = "application/problem+json"

log = structlog.get_logger(__name__)

# Errors that the framework raises itself, by status.
_FRAMEWORK_CODES: Final[Mapping[int, str]] = {
    400: "validation_error",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
}


def problem_body(
    *, status: int, code: str, title: str, detail: str, instance: str, fields: Mapping[str, JSON]
) -> bytes:
    """The bytes of a problem document."""
    document = {
        "type": f"urn:emoji-gallery:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        **fields,
    }
    return orjson.dumps(document)


def problem_response(error: ProblemError, *, instance: str) -> Response:
    """Render a `ProblemError` for the path that was asked."""
    body = problem_body(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        instance=instance,
        fields=error.fields,
    )
    headers = {"Cache-Control": "no-store", **error.headers}
    return Response(body, status_code=error.status, headers=headers, media_type=MEDIA_TYPE)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every exception of the app's routes with a problem document."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_framework_error)
    app.add_exception_handler(Exception, _on_bug)


async def _on_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request.failed", code=error.code, cause=repr(error.__cause__))
    return problem_response(error, instance=request.url.path)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [_invalid_field(entry) for entry in error.errors()]
    body = problem_body(
        status=422,
        code="validation_error",
        title="The request is not valid.",
        detail="; ".join(f"{entry['field']}: {entry['message']}" for entry in errors),
        instance=request.url.path,
        fields={"errors": errors},
    )
    headers = {"Cache-Control": "no-store"}
    return Response(body, status_code=422, headers=headers, media_type=MEDIA_TYPE)


def _invalid_field(entry: Mapping[str, object]) -> dict[str, JSON]:
    location = entry.get("loc")
    parts: Sequence[object] = location if isinstance(location, (list, tuple)) else ()
    return {
        "field": ".".join(str(part) for part in parts),
        "code": str(entry.get("type", "invalid")),
        "message": str(entry.get("msg", "is not valid")),
    }


async def _on_framework_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    body = problem_body(
        status=error.status_code,
        code=_FRAMEWORK_CODES.get(error.status_code, "http_error"),
        title=HTTPStatus(error.status_code).phrase,
        detail=str(error.detail),
        instance=request.url.path,
        fields={},
    )
    headers = {"Cache-Control": "no-store", **(error.headers or {})}
    return Response(body, status_code=error.status_code, headers=headers, media_type=MEDIA_TYPE)


async def _on_bug(request: Request, _error: Exception) -> Response:
    # The framework raises the error again after this answer; the outermost layer logs it.
    return problem_response(ProblemError(), instance=request.url.path)
