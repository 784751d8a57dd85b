"""The dictionary and the search texts: what emojis are found by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import text

from emoji_gallery.contracts.ids import EmojiId
from emoji_gallery.gallery.rules.rows import PACK_TEXTS, EmojiRow
from emoji_gallery.gallery.rules.words import deletions_of, distinct_words, key_of
from emoji_gallery.kit.database import WriteConnection

_BATCH: Final = 500

_NUMBERS: Final = text("""
    SELECT w.locale, w.word, w.id FROM gallery.words w
    JOIN unnest(CAST(:locales AS text[]), CAST(:words AS text[])) AS wanted(locale, word)
      ON w.locale = wanted.locale AND w.word = wanted.word
""")
_ADD: Final = text("""
    INSERT INTO gallery.words (locale, word, near)
    SELECT locale, word, near
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(locale text, word text, near text[])
    ON CONFLICT DO NOTHING
    RETURNING locale, word, id
""")
_FORGET: Final = text("DELETE FROM gallery.search_texts WHERE emoji_id = ANY(:ids)")
_WRITE: Final = text("""
    INSERT INTO gallery.search_texts (emoji_id, locale, name_key, name_words, words)
    SELECT emoji_id, locale, name_key, name_words, words
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        emoji_id uuid, locale text, name_key text, name_words integer[], words integer[])
""")

_Word = tuple[str, str]


@dataclass(frozen=True)
class _Text:
    """What one emoji is found by in one language."""

    emoji_id: EmojiId
    locale: str
    name_key: str
    name_words: Sequence[str]
    words: Sequence[str]


async def write_search_texts(tx: WriteConnection, rows: Sequence[EmojiRow]) -> None:
    """Make emojis found by what their rows say, and by nothing else."""
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        texts = [one for row in batch for one in _texts(row)]
        numbers = await _numbers(tx, {(one.locale, word) for one in texts for word in one.words})
        await tx.execute(_FORGET, {"ids": [row.id for row in batch]})
        encoded = orjson.dumps([_encoded(one, numbers) for one in texts], default=str).decode()
        await tx.execute(_WRITE, {"rows": encoded})


def _texts(row: EmojiRow) -> Iterable[_Text]:
    words = distinct_words([row.name, *row.tags, *row.aliases])
    yield _Text(row.id, PACK_TEXTS, key_of(row.name), distinct_words([row.name]), words)
    for locale, name in row.names.items():
        localised = distinct_words([name])
        yield _Text(row.id, locale, key_of(name), localised, localised)


async def _numbers(tx: WriteConnection, wanted: set[_Word]) -> Mapping[_Word, int]:
    """The number of each word of a language, given to it now if it had none."""
    ordered = sorted(wanted)
    parameters = {
        "locales": [locale for locale, _ in ordered],
        "words": [word for _, word in ordered],
    }
    known = {(row.locale, row.word): row.id for row in await tx.execute(_NUMBERS, parameters)}
    missing = [
        {"locale": locale, "word": word, "near": deletions_of(word)}
        for locale, word in ordered
        if (locale, word) not in known
    ]
    if missing:
        added = await tx.execute(_ADD, {"rows": orjson.dumps(missing).decode()})
        known.update({(row.locale, row.word): row.id for row in added})
    return known


def _encoded(one: _Text, numbers: Mapping[_Word, int]) -> dict[str, object]:
    return {
        "emoji_id": one.emoji_id,
        "locale": one.locale,
        "name_key": one.name_key,
        "name_words": [numbers[one.locale, word] for word in one.name_words],
        "words": [numbers[one.locale, word] for word in one.words],
    }
