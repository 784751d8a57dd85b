import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoji_gallery.accounts.rules.subjects import is_subject
from emoji_gallery.edge.paths import checked_user_id
from emoji_gallery.kit.errors import InvalidInputError


@pytest.mark.parametrize("text", ["a", "a" * 128, "auth0|5f7", "org/team 7", "Ünï🦊", "-", " "])
def test_printable_text_is_a_user_id(text: str) -> None:
    assert is_subject(text)


@pytest.mark.parametrize(
    "value",
    ["", "a" * 129, "a\tb", "a\x7f", "a\u202eb", "a\u200bb", "\udcff", None, 7, b"a", []],
)
def test_anything_else_is_none(value: object) -> None:
    assert not is_subject(value)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=130))
def test_a_caller_is_somebody_whom_a_path_can_name(text: str) -> None:
    try:
        checked_user_id(text)
    except InvalidInputError:
        assert not is_subject(text)
    else:
        assert is_subject(text)
