"""The languages that the gallery knows names in: those of the `emoji` package."""

from __future__ import annotations

from typing import Final, Literal, get_args

Locale = Literal["en", "es", "ja", "ko", "pt", "it", "fr", "de", "fa", "id", "zh", "ru", "tr", "ar"]
LOCALES: Final[tuple[str, ...]] = get_args(Locale)

# Packs name their emojis in English, so that it needs no names beside those.
PACK_LOCALE: Final = "en"


def language_of(tag: str) -> str:
    """The language that a BCP 47 tag such as `de-AT` begins with, in lower case."""
    return tag.replace("_", "-").partition("-")[0].lower()
