"""Which strings can be a user's id."""

from __future__ import annotations

from typing import Final, TypeGuard

MAX_SUBJECT_CHARACTERS: Final = 128


def is_subject(value: object) -> TypeGuard[str]:
    """Whether a value can be a `sub`: printable text of 1 to 128 characters.

    The edge takes the same texts as a user id in a path, so that every caller can be
    addressed. What is not printable (control and format characters, lone surrogates)
    either cannot be stored or reads like another id in a log.
    """
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_SUBJECT_CHARACTERS
        and value.isprintable()
        and "\N{REPLACEMENT CHARACTER}" not in value
    )
