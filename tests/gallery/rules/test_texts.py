from __future__ import annotations

import pytest

from emoji_gallery.gallery.rules.texts import shown_tags, shown_text


@pytest.mark.parametrize("text", ["a", " a ", "é", "😀", "می\u200cخندد", "x" * 10])
def test_what_can_be_read_may_be_shown(text: str) -> None:
    assert shown_text(text, longest=10) == text.strip()


@pytest.mark.parametrize(
    "text", ["", "  ", "x" * 11, "a\nb", "a\x00b", "\u202ea", "a\u2067", "\ud800"]
)
def test_what_cannot_be_read_may_not(text: str) -> None:
    with pytest.raises(ValueError, match="has"):
        shown_text(text, longest=10)


def test_tags_come_once_and_in_order() -> None:
    assert shown_tags(["b", " a", "b "]) == ["b", "a"]


@pytest.mark.parametrize("tags", [["a|b"], [""], ["x" * 65], [str(number) for number in range(51)]])
def test_tags_have_bounds(tags: list[str]) -> None:
    with pytest.raises(ValueError, match="has"):
        shown_tags(tags)
