from __future__ import annotations

import pytest

from emoji_gallery.user_emojis.rules.tags import (
    MAX_TAG_CHARACTERS,
    MAX_TAGS,
    InvalidTagsError,
    checked_tags,
)


def test_tags_keep_their_order_and_come_once() -> None:
    assert checked_tags(["cat", "Cat", "dog", "cat"]) == ["cat", "Cat", "dog"]


def test_no_tags_are_fine() -> None:
    assert checked_tags([]) == []


def test_the_longest_and_the_most_are_fine() -> None:
    tags = [f"{number:0>{MAX_TAG_CHARACTERS}}" for number in range(MAX_TAGS)]
    assert checked_tags(tags) == tags


def test_one_tag_too_many_is_refused_with_both_numbers() -> None:
    with pytest.raises(InvalidTagsError) as caught:
        checked_tags(["x"] * (MAX_TAGS + 1))
    assert caught.value.fields == {"field": "tags", "limit": 20, "actual": 21}


@pytest.mark.parametrize("tag", ["", " ", "x" * (MAX_TAG_CHARACTERS + 1), "a\nb", "\u202ea", "\0"])
def test_a_tag_that_breaks_the_rule_is_refused(tag: str) -> None:
    with pytest.raises(InvalidTagsError):
        checked_tags(["fine", tag])
