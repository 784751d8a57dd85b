from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.gallery.rules.words import (
    MAX_WORD_CHARACTERS,
    character_key,
    deletions_of,
    distinct_words,
    key_of,
    without_skin_tone,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Grinning Face", ["grinning", "face"]),
        ("woman: red-hair", ["woman", "red", "hair"]),
        ("O'clock o’clock", ["oclock", "oclock"]),  # noqa: RUF001
        ("Crème BRÛLÉE", ["creme", "brulee"]),
        ("cœur Straße", ["coeur", "strasse"]),
        ("İSTANBUL ısı", ["istanbul", "isi"]),  # noqa: RUF001
        ("Øl Łódź", ["ol", "lodz"]),
        ("ﬁsh ½", ["fish", "1", "2"]),
        ("Ёлка ёлка", ["елка", "елка"]),
        ("می\u200cخندد", ["ميخندد"]),
        ("قَلْب", ["قلب"]),
        ("か が", ["か", "が"]),
        ("にっこり 笑う", ["にっこり", "笑う"]),
        ("웃는 얼굴", ["웃는", "얼굴"]),
        ("%_'\\", []),
        ("😀", []),
        ("", []),
    ],
)
def test_words_are_what_people_mean_by_them(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text(max_size=60))
def test_words_are_made_of_letters_and_digits_and_stay_as_they_are(text: str) -> None:
    words = words_of(text)
    assert all(0 < len(word) <= MAX_WORD_CHARACTERS for word in words)
    assert not any(set(word) & set("%_\\'\" \0") for word in words)
    assert key_of(key_of(text)) == key_of(text)


def test_words_of_several_texts_come_once() -> None:
    assert distinct_words(["red cat", "Cat nap"]) == ["red", "cat", "nap"]


_WORDS = st.text(alphabet="abcdefgh", min_size=2, max_size=8)


@given(_WORDS, st.data())
def test_words_a_typing_error_apart_share_a_deletion(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 2))
    letter = data.draw(st.sampled_from("abcdefgh"))
    mistyped = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
    )
    assert set(deletions_of(word)) & set(deletions_of(mistyped))


def test_words_that_differ_much_share_nothing() -> None:
    assert not set(deletions_of("heart")) & set(deletions_of("house"))


def test_an_emoji_is_the_same_with_and_without_variation_selector() -> None:
    assert character_key(" ❤️ ") == character_key("❤") == character_key("❤\ufe0e")
    assert character_key("👩‍❤️‍👨") == character_key("👩‍❤‍👨")
    assert character_key("\0") == ""


def test_a_skin_tone_can_be_taken_off() -> None:
    assert without_skin_tone("👋🏿") == "👋"
    assert without_skin_tone("👋") == "👋"
