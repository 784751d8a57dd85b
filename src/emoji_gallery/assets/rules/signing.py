"""Signed media URLs.

A signature is an HMAC-SHA256 over digest, rendition, expiry and key. The key's name says for
whom the URL was made, so that the signature covers that too. `expires` is the end of the
24-hour window after the present one: everybody who asks in a window gets the same URL, and
it holds for at least 24 more hours.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from emoji_gallery.contracts.ids import Digest

WINDOW_SECONDS: Final = 24 * 60 * 60

_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")
_EXPIRES: Final = re.compile(r"[1-9][0-9]{0,11}")
_MIN_SECRET: Final = 32


class Audience(StrEnum):
    """Who may be given a file's bytes."""

    PUBLIC = "public"  # anybody, for ever: free in-house art
    INHOUSE = "inhouse"  # who has the URL, also a shared cache
    USER = "user"  # who has the URL, never a shared cache


_MARKS: Final[Mapping[Audience, str]] = {Audience.INHOUSE: "i", Audience.USER: "u"}
_AUDIENCES: Final = {mark: audience for audience, mark in _MARKS.items()}


@dataclass(frozen=True)
class SigningKey:
    """A secret of at least 32 bytes and its public name."""

    id: str
    secret: bytes

    def __post_init__(self) -> None:
        """Raise `ValueError` for a name that no URL carries well or a secret that is too short."""
        if not _KEY_ID.fullmatch(self.id):
            raise ValueError(f"{self.id!r} is not 1 to 16 letters, digits, hyphens or underscores")
        if len(self.secret) < _MIN_SECRET:
            raise ValueError(f"the secret of media key {self.id!r} is under {_MIN_SECRET} bytes")


@dataclass(frozen=True, slots=True)
class SigningWindow:
    """What all URLs that are made now have in common; `expires` is in seconds since 1970."""

    key_id: str
    expires: int

    @property
    def tag(self) -> str:
        """Changes exactly when signed URLs change: a part of the key of every cached page."""
        return f"{self.expires}.{self.key_id}"

    @property
    def expires_at(self) -> datetime:
        """When the URLs of this window stop to hold."""
        return datetime.fromtimestamp(self.expires, UTC)


@dataclass(frozen=True, slots=True)
class Signature:
    """The three query parameters of a signed URL, as they came."""

    expires: str
    key: str
    signature: str


@dataclass(frozen=True, slots=True)
class Permit:
    """A signature that held: for whom, and until when (seconds since 1970)."""

    audience: Audience
    expires: int


@dataclass(frozen=True)
class Signer:
    """Signs with the first key and believes all of them."""

    keys: Sequence[SigningKey]

    def __post_init__(self) -> None:
        """Raise `ValueError` without a key, or with two of one name."""
        names = {key.id for key in self.keys}
        if not self.keys or len(names) != len(self.keys):
            raise ValueError("media URLs need one or more signing keys, each with its own name")

    def window(self, now: datetime) -> SigningWindow:
        """The window in which a URL that is made now falls."""
        current = int(now.timestamp()) // WINDOW_SECONDS
        return SigningWindow(self.keys[0].id, (current + 2) * WINDOW_SECONDS)

    def query(self, window: SigningWindow, digest: Digest, name: str, audience: Audience) -> str:
        """The query string that lets an audience have a rendition."""
        key = f"{self.keys[0].id}.{_MARKS[audience]}"
        mac = _mac(self.keys[0].secret, digest, name, str(window.expires), key)
        return f"expires={window.expires}&key={key}&signature={mac}"

    def check(
        self, signature: Signature, digest: Digest, name: str, *, now: datetime
    ) -> Permit | None:
        """What a signature permits; None if it is not ours, or expired. Takes constant time."""
        key_id, _, mark = signature.key.partition(".")
        audience = _AUDIENCES.get(mark)
        key = next((key for key in self.keys if key.id == key_id), None)
        if key is None or audience is None or not _EXPIRES.fullmatch(signature.expires):
            return None
        expected = _mac(key.secret, digest, name, signature.expires, signature.key)
        given = signature.signature.encode("utf-8", "replace")
        if not hmac.compare_digest(given, expected.encode()):
            return None
        expires = int(signature.expires)
        return Permit(audience, expires) if expires > now.timestamp() else None


def parse_keys(text: str) -> list[SigningKey]:
    """Keys from `id:secret,id:secret`; raises `ValueError` for anything else."""
    keys = []
    for entry in text.split(","):
        key_id, separator, secret = entry.strip().partition(":")
        if not separator:
            raise ValueError("MEDIA_SIGNING_KEYS is not a list of `id:secret`")
        keys.append(SigningKey(key_id, secret.encode()))
    return keys


def derived_key(secret: bytes) -> SigningKey:
    """A key whose name follows from its secret: another secret is seen by its name."""
    name = hmac.digest(secret, b"media key id", "sha256")[:4]
    return SigningKey(binascii.hexlify(name).decode(), secret)


def _mac(secret: bytes, digest: Digest, name: str, expires: str, key: str) -> str:
    # No part can hold a line feed, so that no two lists of parts join to the same message.
    message = f"{digest}\n{name}\n{expires}\n{key}".encode()
    return base64.urlsafe_b64encode(hmac.digest(secret, message, "sha256"))[:-1].decode()
