import pytest

from emoji_gallery.contracts.ids import is_user_id


@pytest.mark.parametrize("text", ["a", "a" * 128, "auth0|5f7", "org/team 7", "Ünï🦊", "-", " "])
def test_printable_text_is_a_user_id(text: str) -> None:
    assert is_user_id(text)


@pytest.mark.parametrize(
    "value",
    ["", "a" * 129, "a\tb", "a\x7f", "a\u202eb", "a\u200bb", "\udcff", None, 7, b"a", []],
)
def test_anything_else_is_none(value: object) -> None:
    assert not is_user_id(value)
