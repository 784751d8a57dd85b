"""What a search asks for, and in which order its hits come."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from emoji_gallery.gallery.rules.words import (
    character_key,
    deletions_of,
    key_of,
    without_skin_tone,
    words_of,
)

MAX_HITS: Final = 1_000
MAX_QUERY_CHARACTERS: Final = 200

# Words past these narrow a result that nobody finds by typing more.
MAX_WORDS: Final = 6

# Shorter words are a typing error away from half of the dictionary.
_MIN_FORGIVEN: Final = 3
_MIN_FREELY_FORGIVEN: Final = 4

# Shorter ones are inside of half of all words; in scripts that write no letters none is short.
_MIN_INSIDE: Final = 3
_LETTER_SCRIPTS: Final = ("LATIN", "CYRILLIC", "ARABIC", "GREEK", "DIGIT")

# From this length on, words that merely sound alike are near by their trigrams ("elefant").
_MIN_SIMILAR: Final = 6


class MatchClass(IntEnum):
    """How well an emoji matches; lower ones come first. A query is as good as its worst word."""

    CHARACTER = 0  # the query is the emoji
    NAME = 1  # the query is the whole name
    WORD = 2  # whole words of the name
    PREFIX = 3  # words of the name begin so
    TAG = 4  # tags, or other names, begin so
    PART = 5  # inside a word
    FORGIVEN_NAME = 6  # nearly words of the name
    FORGIVEN = 7  # nearly a word


# What is found by the pack's own names comes after what is found in the language asked for.
OTHER_LANGUAGE: Final = 10


@dataclass(frozen=True)
class SearchTerm:
    """One typed word: whether it is looked for inside of others, and what it might have been."""

    word: str
    inside: bool
    near: tuple[str, ...]
    similar: bool


@dataclass(frozen=True)
class SearchQuery:
    """A query as the database needs it. `enough` stronger hits make forgiveness unneeded."""

    key: str
    terms: tuple[SearchTerm, ...]
    characters: tuple[str, ...]
    enough: int


def read_query(text: str, *, variants: bool) -> SearchQuery | None:
    """What somebody typed; None when it is blank, which asks for everything.

    Without variants a typed skin tone means the emoji that has it as a variant.
    """
    if not text.strip():
        return None
    character = character_key(text)
    characters = {character} if variants else {character, without_skin_tone(character)}
    words = list(dict.fromkeys(words_of(text)))[:MAX_WORDS]
    return SearchQuery(
        key=key_of(text),
        terms=tuple(_term(word) for word in words),
        characters=tuple(sorted(characters - {""})),
        enough=_enough(words),
    )


def _term(word: str) -> SearchTerm:
    forgiven = len(word) >= _MIN_FORGIVEN
    return SearchTerm(
        word=word,
        inside=len(word) >= _MIN_INSIDE or not _has_letters(word),
        near=tuple(deletions_of(word)) if forgiven else (),
        similar=len(word) >= _MIN_SIMILAR,
    )


def _has_letters(word: str) -> bool:
    return all(unicodedata.name(one, "").startswith(_LETTER_SCRIPTS) for one in word)


def _enough(words: list[str]) -> int:
    """How many strict hits end the search before errors are looked for."""
    longest = max((len(word) for word in words), default=0)
    if longest < _MIN_FORGIVEN:
        return 0
    return MAX_HITS if longest >= _MIN_FREELY_FORGIVEN else 1
