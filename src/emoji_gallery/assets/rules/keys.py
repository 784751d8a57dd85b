"""How objects are named in storage: by digest, spread over 256 folders."""

from __future__ import annotations

import re
from typing import Final

from emoji_gallery.contracts.ids import Digest
from emoji_gallery.media.catalogue import renditions
from emoji_gallery.media.types import Shape

SOURCES: Final = "sources"
RENDITIONS: Final = "renditions"

# A vector has every size, and between a still and an animated one every type.
EVERY_NAME: Final = tuple(
    sorted(
        {
            name
            for animated in (False, True)
            for name in renditions(Shape(1, 1, animated=animated, vector=True))
        }
    )
)

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_KEY: Final = re.compile(
    rf"(?:{SOURCES}|{RENDITIONS})/(?P<fan>[0-9a-f]{{2}})/(?P<digest>[0-9a-f]{{64}})(?:-[a-z0-9.]+)?"
)


def parse_digest(text: str) -> Digest | None:
    """The digest that a text spells; None for any other text."""
    return Digest(text) if _DIGEST.fullmatch(text) else None


def source_key(digest: Digest) -> str:
    """Where the source of an asset is."""
    return f"{SOURCES}/{digest[:2]}/{digest}"


def rendition_key(digest: Digest, name: str) -> str:
    """Where one rendition of an asset is."""
    return f"{RENDITIONS}/{digest[:2]}/{digest}-{name}"


def keys_of(digest: Digest) -> list[str]:
    """Every key under which anything of an asset can be."""
    return [source_key(digest), *(rendition_key(digest, name) for name in EVERY_NAME)]


def digest_of(key: str) -> Digest | None:
    """The asset that an object belongs to; None for a key that was not made here."""
    found = _KEY.fullmatch(key)
    if found is None or not found["digest"].startswith(found["fan"]):
        return None
    return Digest(found["digest"])
