"""API keys: how they look, and what is stored of them.

A key is `egk_`, 32 random letters and digits (190 bits) and 6 that check them, so that a
key cut short in a copy is refused without a look at the database and a scanner of leaked
secrets knows one when it sees it.

Only the SHA-256 is stored. A slow password hash defends secrets that people choose; nobody
guesses 190 random bits, and a fast hash costs a request nothing.
"""

from __future__ import annotations

import hashlib
import string
import zlib
from collections.abc import Callable, Sequence
from typing import Final

PREFIX: Final = "egk_"

# The wire prefix of a key's id, by which it is listed and revoked.
API_KEY_PREFIX: Final = "key"

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_CHARACTERS: Final = 32
_CHECK_CHARACTERS: Final = 6
_SHOWN_CHARACTERS: Final = len(PREFIX) + 4

Choose = Callable[[Sequence[str]], str]


def new_key(choose: Choose) -> str:
    """A new key. `choose` picks one of several letters: `secrets.choice`."""
    body = "".join(choose(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
    return PREFIX + body + _check(body)


def is_well_formed(key: str) -> bool:
    """Whether a text can be a key at all: right length, right letters, right checksum."""
    body = key[len(PREFIX) : -_CHECK_CHARACTERS]
    return (
        len(key) == len(PREFIX) + _RANDOM_CHARACTERS + _CHECK_CHARACTERS
        and key.startswith(PREFIX)
        and all(character in _ALPHABET for character in body)
        and key.endswith(_check(body))
    )


def digest_of(key: str) -> bytes:
    """What is stored of a key and looked up by."""
    return hashlib.sha256(key.encode()).digest()


def preview_of(key: str) -> str:
    """The first letters, by which its owner tells one key from another."""
    return key[:_SHOWN_CHARACTERS]


def _check(body: str) -> str:
    number = zlib.crc32(body.encode())
    letters = ""
    for _ in range(_CHECK_CHARACTERS):
        number, index = divmod(number, len(_ALPHABET))
        letters = _ALPHABET[index] + letters
    return letters
