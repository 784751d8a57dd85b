"""Names of emojis in the languages of the `emoji` package (Unicode's CLDR)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import emoji

from emoji_gallery.gallery.rules.locales import LOCALES, PACK_LOCALE
from emoji_gallery.gallery.rules.words import character_key, key_of


@dataclass(frozen=True)
class EmojiNames:
    """What the package calls an emoji: by language, and by which other English names."""

    names: Mapping[str, str]
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class NameTable:
    """The package's table by the emojis' keys."""

    entries: Mapping[str, Mapping[str, object]]

    def names_of(self, character: str | None, *, name: str) -> EmojiNames:
        """The names of a character; none for what Unicode does not know."""
        entry = self.entries.get(character_key(character)) if character else None
        if entry is None:
            return EmojiNames({}, ())
        names = {
            locale: _plain(str(entry[locale]))
            for locale in LOCALES
            if locale != PACK_LOCALE and locale in entry
        }
        known = entry.get("alias")
        aliases = [_plain(str(alias)) for alias in (known if isinstance(known, list) else [])]
        english = [_plain(str(entry[PACK_LOCALE])), *aliases]
        others = {key_of(alias): alias for alias in english if key_of(alias)}
        others.pop(key_of(name), None)
        return EmojiNames(names, tuple(others.values()))


def load_names() -> NameTable:
    """Read the table of every language; takes a while, so never on the event loop."""
    emoji.config.load_language()
    return NameTable({character_key(one): data for one, data in emoji.EMOJI_DATA.items()})


def _plain(name: str) -> str:
    return " ".join(name.strip(":").replace("_", " ").split())
