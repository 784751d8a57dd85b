from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.user_emojis.rules.names import (
    FALLBACK_NAME,
    MAX_FILE_NAME_CHARACTERS,
    MAX_NAME_CHARACTERS,
    InvalidNameError,
    checked_name,
    has_forbidden_character,
    name_of_file,
    shown_file_name,
)

RIGHT_TO_LEFT_OVERRIDE = "\u202e"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "my cat",
        " kept as it came ",
        "x" * MAX_NAME_CHARACTERS,
        FAMILY,
        "\U0001fae8" * MAX_NAME_CHARACTERS,
        "../etc/passwd",
        "<script>alert(1)</script>",
        "\u05e9\u05dc\u05d5\u05dd \u200f!",
    ],
)
def test_a_name_that_keeps_the_rule_stays_as_it_came(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("length", [0, MAX_NAME_CHARACTERS + 1, 10_000])
def test_a_name_of_the_wrong_length_is_refused_with_both_numbers(length: int) -> None:
    with pytest.raises(InvalidNameError) as caught:
        checked_name("x" * length)
    assert caught.value.status == 422
    assert caught.value.code == "validation_error"
    assert caught.value.fields == {"field": "name", "limit": 64, "actual": length}


@pytest.mark.parametrize(
    "character",
    ["\0", "\t", "\n", "\r", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"]
    + [chr(code) for code in range(0x202A, 0x202F)]
    + [chr(code) for code in range(0x2066, 0x206A)]
    + ["\ud800"],
)
def test_a_control_or_bidi_control_character_is_refused(character: str) -> None:
    with pytest.raises(InvalidNameError):
        checked_name(f"a{character}b")


@pytest.mark.parametrize("name", [" ", "\u2003\u00a0", "\u200b\u200d", "\ufeff"])
def test_a_name_of_which_nothing_can_be_seen_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError):
        checked_name(name)


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("cat.png", "cat"),
        ("archive.tar.gz", "archive.tar"),
        ("no extension", "no extension"),
        ("Dr. Who", "Dr. Who"),
        ("/etc/passwd.gif", "passwd"),
        ("C:\\Users\\me\\cat.webp", "cat"),
        ("..\\../mixed\\slashes/cat.png", "cat"),
        ("cat\0\n.png", "cat"),
        (f"gpj{RIGHT_TO_LEFT_OVERRIDE}.exe.png", "gpj.exe"),
        (f"{FAMILY}.svg", FAMILY),
        ("x" * 300 + ".png", "x" * MAX_NAME_CHARACTERS),
        ("  spaced  .png", "spaced"),
        ("", FALLBACK_NAME),
        (".png", FALLBACK_NAME),
        ("..", FALLBACK_NAME),
        ("folder/", FALLBACK_NAME),
        ("\u200b.png", FALLBACK_NAME),
        (RIGHT_TO_LEFT_OVERRIDE, FALLBACK_NAME),
    ],
)
def test_a_file_name_proposes_a_name(file_name: str, name: str) -> None:
    assert name_of_file(file_name) == name


@given(st.text())
def test_whatever_a_file_is_called_its_emoji_gets_a_name_that_keeps_the_rule(
    file_name: str,
) -> None:
    name = name_of_file(file_name)
    assert checked_name(name) == name
    shown = shown_file_name(file_name)
    assert len(shown) <= MAX_FILE_NAME_CHARACTERS
    assert not has_forbidden_character(shown)
    assert "/" not in shown
    assert "\\" not in shown


def test_a_file_name_keeps_its_extension_when_shown() -> None:
    assert shown_file_name("C:\\me\\cat\r\n.png") == "cat.png"
