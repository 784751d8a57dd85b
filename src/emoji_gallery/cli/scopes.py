"""The scopes, as the command line offers them."""

from __future__ import annotations

from enum import StrEnum


class ScopeName(StrEnum):
    """What a token or key may allow beyond its own user's things."""

    CURATOR = "curator"
    ADMIN = "admin"
    SERVICE = "service"
