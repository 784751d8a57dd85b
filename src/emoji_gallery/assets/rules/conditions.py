"""Conditional and range requests for a file that never changes (RFC 9110, 13 and 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from emoji_gallery.contracts.ids import Digest

_ENTITY_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_RANGE: Final = re.compile(
    r"bytes=[ \t]*(?:(?P<first>[0-9]+)-(?P<last>[0-9]*)|-(?P<suffix>[0-9]+))[ \t]*", re.IGNORECASE
)

# Longer numbers than this are past every file's end, and costly to read.
_DIGITS: Final = 18


class UnsatisfiableError(Exception):
    """A well-formed range names no byte of the file."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` up to, not with, `stop`."""

    start: int
    stop: int


def entity_tag(digest: Digest, name: str) -> str:
    """The strong validator of a rendition: its bytes are written once."""
    return f'"{digest}-{name}"'


def matches(header: str, tag: str) -> bool:
    """Whether an `If-None-Match` covers the tag, by weak comparison (RFC 9110, 13.1.2)."""
    return header.strip() == "*" or tag in (
        found.removeprefix("W/") for found in _ENTITY_TAG.findall(header)
    )


def matches_strongly(header: str, tag: str) -> bool:
    """Whether an `If-Match` covers the tag, by strong comparison (RFC 9110, 13.1.1)."""
    return header.strip() == "*" or tag in _ENTITY_TAG.findall(header)


def requested_span(
    range_header: str | None, if_range: str | None, *, tag: str, size: int
) -> Span | None:
    """The part of a file that is asked for; None for the whole of it.

    Units other than bytes, several ranges and malformed ones are ignored, as RFC 9110, 14.2
    allows; so is a range whose `If-Range` names another state of the file. Raises
    `UnsatisfiableError`.
    """
    if range_header is None or (if_range is not None and if_range.strip() != tag):
        return None
    asked = _RANGE.fullmatch(range_header.strip())
    if asked is None:
        return None
    if asked["suffix"] is not None:
        return _suffix(_number(asked["suffix"]), size)
    first = _number(asked["first"])
    last = _number(asked["last"]) if asked["last"] else size - 1
    if asked["last"] and last < first:
        return None
    if first >= size:
        raise UnsatisfiableError
    return Span(first, min(last + 1, size))


def _suffix(length: int, size: int) -> Span:
    if length == 0 or size == 0:
        raise UnsatisfiableError
    return Span(max(0, size - length), size)


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= _DIGITS else 10**_DIGITS
