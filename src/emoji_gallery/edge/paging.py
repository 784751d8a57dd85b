"""Keyset pages with opaque, signed cursors.

A cursor says where the next page starts and is bound to the list, its sort and its filters:
with another query it is refused, and so is one that was tampered with.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlencode

import orjson
from fastapi import Query

from emoji_gallery.kit.errors import ProblemError
from emoji_gallery.kit.jsontypes import JSON

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200

_MAC_BYTES: Final = 16
_MAX_CURSOR_CHARACTERS: Final = 1024

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=_MAX_CURSOR_CHARACTERS, description="`next_cursor` of the page before."),
]


class InvalidCursorError(ProblemError):
    """The cursor was not made by this service for this query."""

    status = 400
    code = "invalid_cursor"
    title = "The cursor does not belong to this list."


@dataclass(frozen=True)
class CursorCodec:
    """Signs and checks cursors with a secret of at least 16 bytes."""

    secret: bytes

    def encode(self, kind: str, filters: Mapping[str, JSON], position: Sequence[JSON]) -> str:
        """The cursor that continues after `position` in the list `kind` under `filters`."""
        payload = orjson.dumps(position)
        mac = self._mac(kind, filters, payload)
        return base64.urlsafe_b64encode(mac + payload).rstrip(b"=").decode()

    def decode(self, kind: str, filters: Mapping[str, JSON], cursor: str) -> list[JSON]:
        """The position in a cursor; raises `InvalidCursorError`."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise InvalidCursorError from None
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(kind, filters, payload)):
            raise InvalidCursorError
        position: list[JSON] = orjson.loads(payload)
        return position

    def _mac(self, kind: str, filters: Mapping[str, JSON], payload: bytes) -> bytes:
        bound = orjson.dumps([kind, filters], option=orjson.OPT_SORT_KEYS)
        return hmac.digest(self.secret, bound + b"\0" + payload, "sha256")[:_MAC_BYTES]


def next_link(path: str, parameters: Sequence[tuple[str, str]], next_cursor: str) -> str:
    """The `Link` header (RFC 8288) of a page that has a next one."""
    kept = [(name, value) for name, value in parameters if name != "cursor"]
    return f'<{path}?{urlencode([*kept, ("cursor", next_cursor)])}>; rel="next"'
