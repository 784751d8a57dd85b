"""Search, in one statement: typed words to known words, known words to emojis, emojis to ranks.

The dictionary (`words`) is small however many emojis there are; looking for parts and errors
happens there. Emojis are then found by the numbers of their words, through an inverted index.
Errors are looked for only where too little is found without them.
"""

# Statements are put together from constants of these modules only; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from emoji_gallery.gallery.rules.filters import Filters, Place, Slice
from emoji_gallery.gallery.rules.rows import PACK_TEXTS
from emoji_gallery.gallery.rules.search import (
    MAX_HITS,
    OTHER_LANGUAGE,
    MatchClass,
    SearchQuery,
)
from emoji_gallery.gallery.store.listing import conditions
from emoji_gallery.gallery.store.reading import COLUMNS, JOINS, GalleryRow, read_row
from emoji_gallery.kit.database import ReadConnection

# How alike two long words have to be (shared trigrams to all) to be one with errors.
_SIMILARITY: Final = 0.4


@dataclass(frozen=True)
class FoundPage:
    """Hits with their match classes, and the catalogue's version that they are of."""

    version: int
    rows: Sequence[GalleryRow]
    matches: Sequence[int]


async def search_page(
    connection: ReadConnection, query: SearchQuery, filters: Filters, page: Slice, *, locale: str
) -> FoundPage:
    """One page of the hits: by match class, then position; at most `MAX_HITS` in all pages."""
    condition = conditions(filters)
    after = page.after or Place()
    statement = f"""
        WITH {_dictionary(query)}
        strict AS MATERIALIZED ({_ranked(_strict(query), condition.sql)}),
        forgiven AS (
            SELECT * FROM ({_ranked(_forgiven(query), condition.sql)}) f
            WHERE (SELECT count(*) FROM strict) < :enough
              AND NOT EXISTS (SELECT FROM strict s WHERE s.id = f.id)
        ),
        hits AS (
            SELECT * FROM (SELECT * FROM strict UNION ALL SELECT * FROM forgiven) h
            ORDER BY match, position, id LIMIT {MAX_HITS}
        ),
        picked AS (
            SELECT * FROM hits WHERE (match, position, id) > (:match, :position, :id)
            ORDER BY match, position, id LIMIT :rows
        )
        SELECT catalogue.version, picked.match, {COLUMNS}
        FROM gallery.catalogue LEFT JOIN picked ON true {JOINS}
        ORDER BY picked.match, picked.position, picked.id
    """
    parameters = {
        **condition.parameters,
        **_typed(query),
        "locale": locale,
        "locales": [locale, PACK_TEXTS],
        "match": after.match,
        "position": after.position,
        "id": after.id,
        "rows": page.rows,
    }
    found = (await connection.execute(text(statement), parameters)).all()
    hits = [row for row in found if row.id is not None]
    return FoundPage(
        version=int(found[0].version),
        rows=[read_row(row) for row in hits],
        matches=[int(row.match) for row in hits],
    )


def _typed(query: SearchQuery) -> dict[str, object]:
    """What was typed, as parameters of the statement."""
    parameters: dict[str, object] = {
        "key": query.key,
        "characters": list(query.characters),
        "enough": query.enough,
    }
    for number, term in enumerate(query.terms):
        parameters[f"word_{number}"] = term.word
        # Words have letters and digits only, so that LIKE needs no escapes.
        parameters[f"pattern_{number}"] = f"%{term.word}%" if term.inside else f"{term.word}%"
        parameters[f"near_{number}"] = list(term.near)
    return parameters


def _dictionary(query: SearchQuery) -> str:
    """What each typed word may stand for: numbers of known words, by how well they fit."""
    parts = []
    for number, term in enumerate(query.terms):
        word = f":word_{number}"
        similar = (
            f" OR (word % {word} AND similarity(word, {word}) >= {_SIMILARITY})"
            if term.similar
            else ""
        )
        parts.append(f"""
            known_{number} AS MATERIALIZED (
                SELECT coalesce(array_agg(id) FILTER (WHERE word = {word}), '{{}}') AS whole,
                       coalesce(array_agg(id) FILTER (WHERE starts_with(word, {word})), '{{}}')
                           AS starts,
                       coalesce(array_agg(id), '{{}}') AS parts
                FROM gallery.words
                WHERE locale = ANY(:locales) AND word LIKE :pattern_{number}
            ),
            nearly_{number} AS MATERIALIZED (
                SELECT coalesce(array_agg(id), '{{}}') AS words
                FROM gallery.words
                WHERE locale = ANY(:locales)
                  AND (near && CAST(:near_{number} AS text[]){similar})
            ),""")
    return "".join(parts)


def _ranked(matches: str, condition: str) -> str:
    return f"""
        SELECT min(m.match) AS match, e.position, e.id
        FROM ({matches}) m JOIN gallery.emojis e ON e.id = m.emoji_id
        WHERE {condition}
        GROUP BY e.id
        ORDER BY 1, 2, 3 LIMIT {MAX_HITS}
    """


def _strict(query: SearchQuery) -> str:
    by_character = f"""
        SELECT id AS emoji_id, {MatchClass.CHARACTER.value} AS match
        FROM gallery.emojis WHERE character_key = ANY(:characters)
    """
    if not query.terms:
        return by_character
    ranks = ", ".join(_word_rank(number) for number in range(len(query.terms)))
    found = " AND ".join(f"t.words && known_{number}.parts" for number in range(len(query.terms)))
    known = ", ".join(f"known_{number}" for number in range(len(query.terms)))
    return f"""
        {by_character} UNION ALL
        SELECT t.emoji_id,
               CASE WHEN t.name_key = :key THEN {MatchClass.NAME.value}
                    ELSE greatest({ranks}) END
               + CASE WHEN t.locale = :locale THEN 0 ELSE {OTHER_LANGUAGE} END AS match
        FROM gallery.search_texts t, {known}
        WHERE t.locale = ANY(:locales) AND {found}
    """


def _word_rank(number: int) -> str:
    known = f"known_{number}"
    return f"""
        CASE WHEN t.name_words && {known}.whole THEN {MatchClass.WORD.value}
             WHEN t.name_words && {known}.starts THEN {MatchClass.PREFIX.value}
             WHEN t.words && {known}.starts THEN {MatchClass.TAG.value}
             ELSE {MatchClass.PART.value} END"""


def _forgiven(query: SearchQuery) -> str:
    if not query.terms:
        return "SELECT NULL::uuid AS emoji_id, 0 AS match WHERE false"
    numbers = range(len(query.terms))
    near = [f"(known_{n}.parts || nearly_{n}.words)" for n in numbers]
    found = " AND ".join(f"t.words && {words}" for words in near)
    named = " AND ".join(f"t.name_words && {words}" for words in near)
    known = ", ".join(f"known_{n}, nearly_{n}" for n in numbers)
    return f"""
        SELECT t.emoji_id,
               CASE WHEN {named} THEN {MatchClass.FORGIVEN_NAME.value}
                    ELSE {MatchClass.FORGIVEN.value} END
               + CASE WHEN t.locale = :locale THEN 0 ELSE {OTHER_LANGUAGE} END AS match
        FROM gallery.search_texts t, {known}
        WHERE t.locale = ANY(:locales) AND {found}
    """
