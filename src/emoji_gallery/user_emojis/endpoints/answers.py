"""How this feature's answers are written: as JSON that nobody but the caller keeps."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import Response
from pydantic import BaseModel

PRIVATE: Final = {"Cache-Control": "private, no-store"}


def answer(
    body: BaseModel,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A JSON answer. It is written here and not by FastAPI, which would validate it again."""
    return Response(
        body.model_dump_json(),
        status_code=status,
        headers={**PRIVATE, **(headers or {})},
        media_type="application/json",
    )
