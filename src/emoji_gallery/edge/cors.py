"""Which pages of other origins may call the API (the Fetch standard's CORS protocol).

Tokens travel in a header that pages set themselves, never in cookies, so credentials mode
is off and `*` is safe to set.
"""

from __future__ import annotations

from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Prefer",
    "X-Request-ID",
)
_ANSWER_HEADERS: Final = (
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)


class CorsSettings(BaseSettings):
    """Which origins may call."""

    model_config = SettingsConfigDict(frozen=True)

    cors_origins: str = Field(
        default="",
        description="Origins of pages that may call the API, separated by commas; `*` for all, "
        "empty for none but our own.",
    )


def cors_layer(app: ASGIApp, settings: CorsSettings) -> ASGIApp:
    """Answer preflights and mark answers for the origins that are allowed."""
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_ANSWER_HEADERS,
        max_age=3600,
    )
