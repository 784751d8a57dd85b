"""What words an emoji may be found by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from emoji_gallery.kit.errors import InvalidInputError
from emoji_gallery.user_emojis.rules.names import has_forbidden_character, is_blank

MAX_TAGS: Final = 20
MAX_TAG_CHARACTERS: Final = 32


class InvalidTagsError(InvalidInputError):
    """A tag, or how many there are, breaks the rule."""


def checked_tags(tags: Sequence[str]) -> list[str]:
    """The tags in their order, each once; raises `InvalidTagsError` when one breaks a rule."""
    if len(tags) > MAX_TAGS:
        raise InvalidTagsError(
            f"An emoji has at most {MAX_TAGS} tags.", field="tags", limit=MAX_TAGS, actual=len(tags)
        )
    return list(dict.fromkeys(_checked_tag(tag) for tag in tags))


def _checked_tag(tag: str) -> str:
    if not 1 <= len(tag) <= MAX_TAG_CHARACTERS:
        raise InvalidTagsError(
            f"A tag has 1 to {MAX_TAG_CHARACTERS} characters.",
            field="tags",
            limit=MAX_TAG_CHARACTERS,
            actual=len(tag),
        )
    if has_forbidden_character(tag) or is_blank(tag):
        raise InvalidTagsError(
            "A tag can be seen and holds no control or bidirectional control characters.",
            field="tags",
        )
    return tag
