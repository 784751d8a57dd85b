"""How text becomes the words that search compares, in any of the gallery's languages.

Both what is stored and what is typed pass through here, so only consistency matters: marks,
case and letter variants that people type in more than one way are made equal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

# Unicode normalisation leaves these letters whole, but people type them in two ways.
_SAME_LETTERS: Final = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ی": "ي",  # the Persian yeh is the Arabic one
        "ى": "ي",
        "ک": "ك",  # the Persian kaf is the Arabic one
        "\N{ARABIC LETTER TEH MARBUTA}": "\N{ARABIC LETTER HEH}",
        "ـ": None,  # tatweel only stretches a word
        "\N{APOSTROPHE}": None,  # o'clock is one word
        "\N{RIGHT SINGLE QUOTATION MARK}": None,
    }
)

# Accents, and the vowel signs of Arabic; not Japanese voicing marks, which make other letters.
_MARKS: Final = re.compile("[\u0300-\u036f\u064b-\u065f\u0670]+")

_VARIATION_SELECTORS: Final = dict.fromkeys((0xFE0E, 0xFE0F))
_SKIN_TONES: Final = dict.fromkeys(range(0x1F3FB, 0x1F3FF + 1))

# Two names that differ only beyond this many characters are one to the search.
MAX_KEY_CHARACTERS: Final = 200
MAX_WORD_CHARACTERS: Final = 40


class _Kept(dict[int, str]):
    """Which characters are parts of words, for `str.translate`; each is decided about once."""

    def __missing__(self, code: int) -> str:
        category = unicodedata.category(chr(code))
        kept = chr(code) if category[0] in "LNM" else " "
        # Joiners and direction marks are inside words, unseen.
        self[code] = "" if category == "Cf" else kept
        return self[code]


_KEPT: Final = _Kept()


def words_of(text: str) -> list[str]:
    """The comparable words of a text, in order."""
    decomposed = unicodedata.normalize("NFKD", text.casefold()).casefold()
    bare = unicodedata.normalize("NFC", _MARKS.sub("", decomposed)).translate(_SAME_LETTERS)
    return [word[:MAX_WORD_CHARACTERS] for word in bare.translate(_KEPT).split()]


def key_of(text: str) -> str:
    """A name as one comparable string: its words with single spaces between."""
    return " ".join(words_of(text))[:MAX_KEY_CHARACTERS]


def distinct_words(texts: Iterable[str]) -> list[str]:
    """The words of several texts, each once, in order of appearance."""
    return list(dict.fromkeys(word for text in texts for word in words_of(text)))


def deletions_of(word: str) -> list[str]:
    """A word and what is left when any one of its letters is dropped.

    Two words that share one of these are a typing error apart: a letter too many or too few, a
    wrong one, or two swapped. This is SymSpell's symmetric delete (Garbe, 2012), which works in
    every script and needs no distance function in the database.
    """
    return sorted({word, *(word[:at] + word[at + 1 :] for at in range(len(word)))})


def character_key(text: str) -> str:
    """An emoji without variation selectors: the same one, however it was typed."""
    return text.strip().replace("\0", "").translate(_VARIATION_SELECTORS)


def without_skin_tone(key: str) -> str:
    """The base emoji's key of a skin-tone variant's."""
    return key.translate(_SKIN_TONES)
