"""What an emoji may be called.

A name that a client states is kept as it came or refused. A name that is read off a file is
only a proposal: whatever it holds, something usable is made of it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from emoji_gallery.kit.errors import InvalidInputError

MAX_NAME_CHARACTERS: Final = 64
MAX_FILE_NAME_CHARACTERS: Final = 255
FALLBACK_NAME: Final = "emoji"

# Embeddings, overrides and isolates (Unicode TR9, 2): they reorder text around the name.
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Controls, surrogates, and the two separators that break a line.
_CONTROL_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Of these a text shows nothing. Unassigned ones (Cn) may be emojis newer than this Python.
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9]{1,5}$")


class InvalidNameError(InvalidInputError):
    """An explicit name breaks the rule."""


def checked_name(text: str) -> str:
    """The name as it came; raises `InvalidNameError` when it breaks the rule."""
    if not 1 <= len(text) <= MAX_NAME_CHARACTERS:
        raise InvalidNameError(
            f"A name has 1 to {MAX_NAME_CHARACTERS} characters.",
            field="name",
            limit=MAX_NAME_CHARACTERS,
            actual=len(text),
        )
    if has_forbidden_character(text):
        raise InvalidNameError(
            "A name holds no control and no bidirectional control characters.", field="name"
        )
    if is_blank(text):
        raise InvalidNameError("A name holds something that can be seen.", field="name")
    return text


def name_of_file(file_name: str) -> str:
    """A name made of a file's: its stem without path and unsafe characters, never empty."""
    stem = _EXTENSION.sub("", shown_file_name(file_name))
    name = stem.strip(" .")[:MAX_NAME_CHARACTERS].rstrip()
    return FALLBACK_NAME if is_blank(name) else name


def shown_file_name(file_name: str) -> str:
    """A file name fit to be stored and shown: no path, no unsafe characters; may be empty."""
    last = re.split(r"[/\\]", file_name)[-1]
    kept = "".join(character for character in last if not _is_forbidden(character))
    return kept.strip()[:MAX_FILE_NAME_CHARACTERS]


def has_forbidden_character(text: str) -> bool:
    """Whether a text holds control or bidirectional control characters."""
    return any(_is_forbidden(character) for character in text)


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen."""
    return all(unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in text)


def _is_forbidden(character: str) -> bool:
    return character in _BIDI_CONTROLS or unicodedata.category(character) in _CONTROL_CATEGORIES
