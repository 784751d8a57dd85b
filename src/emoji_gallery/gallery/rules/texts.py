"""Which texts may be shown as names, tags and labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_NAME_CHARACTERS: Final = 100
MAX_TAG_CHARACTERS: Final = 64
MAX_TAGS: Final = 50

# Embeddings, overrides and isolates (Unicode TR9, 2): they make a text read as another.
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Controls, lone surrogates, and the two separators that break a line.
_CONTROLS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def shown_text(text: str, *, longest: int) -> str:
    """A text without outer white space; raises `ValueError` when it may not be shown."""
    stripped = text.strip()
    if not 1 <= len(stripped) <= longest:
        raise ValueError(f"has to have 1 to {longest} characters")
    for character in stripped:
        if character in _BIDI_CONTROLS or unicodedata.category(character) in _CONTROLS:
            raise ValueError(f"has the character U+{ord(character):04X}, which may not be shown")
    return stripped


def shown_tags(tags: Iterable[str]) -> list[str]:
    """Tags, each once and in order; raises `ValueError` with a sentence."""
    kept = list(dict.fromkeys(shown_text(tag, longest=MAX_TAG_CHARACTERS) for tag in tags))
    if any("|" in tag for tag in kept):
        raise ValueError("has a tag with |, which separates tags in an index")
    if len(kept) > MAX_TAGS:
        raise ValueError(f"has to have at most {MAX_TAGS} tags")
    return kept
