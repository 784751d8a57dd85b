"""Says in the OpenAPI document which errors a route answers.

@router.post("/emoji", responses=problems(FileTooLargeError, UploadLimitReachedError))
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI

from emoji_gallery.edge.problems import MEDIA_TYPE
from emoji_gallery.kit.errors import ProblemError, UnauthenticatedError

# An OpenAPI document is plain nested data; FastAPI types it so too.
_Document = dict[str, Any]

_CONTENT: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

_PROBLEM_SCHEMA: Final = {
    "title": "Problem",
    "description": "An error answer (RFC 9457). Some codes add fields that a program can act on.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable; what programs should look at."},
    },
    "additionalProperties": True,
}

_INVALID: Final = "`validation_error`: a parameter, header or field breaks a rule."
_ANY: Final = (
    "Any other error: `rate_limited` 429 and `unavailable` 503 say in `Retry-After` when to "
    "come back."
)


_UNAUTHENTICATED: Final[_Document] = {
    "description": f"`{UnauthenticatedError.code}`: no token where one is needed, or a bad one.",
    "content": _CONTENT,
}


def problems(*kinds: type[ProblemError]) -> dict[int | str, _Document]:
    """The `responses` of a route that may raise these errors, by status."""
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for kind in kinds:
        by_status[kind.status].append(f"`{kind.code}`: {kind.title}")
    return {
        status: {"description": "\n\n".join(lines), "content": _CONTENT}
        for status, lines in sorted(by_status.items())
    }


def document_problems(app: FastAPI) -> None:
    """Replace the framework's error schemas by ours when the document is made."""
    generate = app.openapi

    def openapi() -> _Document:
        if app.openapi_schema is None:
            app.openapi_schema = _with_problems(generate())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _with_problems(document: _Document) -> _Document:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    for operation in _operations(document):
        responses = operation["responses"]
        invalid = responses.get("422")
        if invalid is not None and MEDIA_TYPE not in invalid.get("content", {}):
            responses["422"] = {"description": _INVALID, "content": _CONTENT}
        elif invalid is not None:
            invalid["description"] = f"{_INVALID}\n\n{invalid['description']}"
        if operation.get("security"):
            responses["401"] = _UNAUTHENTICATED
        responses["default"] = {"description": _ANY, "content": _CONTENT}
    return document


def _operations(document: _Document) -> Iterator[_Document]:
    for item in document["paths"].values():
        yield from item.values()
