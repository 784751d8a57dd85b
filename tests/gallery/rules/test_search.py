from __future__ import annotations

import pytest

from emoji_gallery.gallery.rules.search import MAX_HITS, MAX_WORDS, read_query


def test_a_blank_query_asks_for_everything() -> None:
    assert read_query(" \t", variants=False) is None


def test_a_query_is_its_words_and_perhaps_a_character() -> None:
    query = read_query("Red  Hart", variants=False)
    assert query is not None
    assert query.key == "red hart"
    assert [term.word for term in query.terms] == ["red", "hart"]
    assert query.characters == ("Red  Hart",)


def test_words_come_once_and_not_without_end() -> None:
    query = read_query("a b a " + " ".join(f"w{number}" for number in range(20)), variants=False)
    assert query is not None
    assert [term.word for term in query.terms][:3] == ["a", "b", "w0"]
    assert len(query.terms) == MAX_WORDS


@pytest.mark.parametrize(("variants", "characters"), [(True, ("👋🏿",)), (False, ("👋", "👋🏿"))])
def test_a_skin_tone_means_the_base_where_variants_are_not_listed(
    variants: bool, characters: tuple[str, ...]
) -> None:
    query = read_query("👋🏿", variants=variants)
    assert query is not None
    assert query.characters == characters


@pytest.mark.parametrize(
    ("text", "enough"), [("ab", 0), ("cat", 1), ("hart", MAX_HITS), ("a hart", MAX_HITS), ("%", 0)]
)
def test_the_shorter_a_word_the_less_is_forgiven(text: str, enough: int) -> None:
    query = read_query(text, variants=False)
    assert query is not None
    assert query.enough == enough


@pytest.mark.parametrize(
    ("word", "inside"),
    [("a", False), ("ab", False), ("abc", True), ("笑", True), ("か", True), ("ле", False)],
)
def test_short_words_are_looked_for_inside_of_others_in_scripts_without_letters(
    word: str, inside: bool
) -> None:
    query = read_query(word, variants=False)
    assert query is not None
    assert query.terms[0].inside is inside


@pytest.mark.parametrize(("word", "similar"), [("cater", False), ("caterp", True)])
def test_long_words_may_be_merely_similar(word: str, similar: bool) -> None:
    query = read_query(word, variants=False)
    assert query is not None
    assert query.terms[0].similar is similar
