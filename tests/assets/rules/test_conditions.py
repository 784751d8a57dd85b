from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.assets.rules.conditions import (
    Span,
    UnsatisfiableError,
    entity_tag,
    matches,
    matches_strongly,
    requested_span,
)
from emoji_gallery.contracts.ids import Digest

TAG = entity_tag(Digest("9f" * 32), "128.webp")
OTHER = entity_tag(Digest("9f" * 32), "64.webp")


def span(header: str | None, *, size: int = 10, if_range: str | None = None) -> Span | None:
    return requested_span(header, if_range, tag=TAG, size=size)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", Span(0, 1)),
        ("bytes=0-9", Span(0, 10)),
        ("bytes=2-5", Span(2, 6)),
        ("bytes=9-9", Span(9, 10)),
        ("bytes=3-", Span(3, 10)),
        ("bytes=3-99", Span(3, 10)),
        ("bytes=0-" + "9" * 6000, Span(0, 10)),
        ("bytes=-1", Span(9, 10)),
        ("bytes=-10", Span(0, 10)),
        ("bytes=-11", Span(0, 10)),
        ("BYTES=1-2", Span(1, 3)),
        ("bytes= 1-2 ", Span(1, 3)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_satisfiable_range_is_that_part(header: str, expected: Span) -> None:
    assert span(header) == expected


@pytest.mark.parametrize(
    "header", ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=" + "9" * 6000 + "-"], ids=len
)
def test_a_range_past_the_end_is_unsatisfiable(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        span(header)


def test_nothing_of_an_empty_file_can_be_asked_for() -> None:
    for header in ("bytes=0-", "bytes=-1", "bytes=0-0"):
        with pytest.raises(UnsatisfiableError):
            span(header, size=0)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=a-b",
        "bytes=1-2,4-5",
        "bytes=0x1-2",
        "bytes=+1-2",
        "bytes=\u0661-\u0662",
        "pages=1-2",
        "bytes 1-2",
    ],
)
def test_what_is_no_single_range_of_bytes_asks_for_all(header: str | None) -> None:
    assert span(header) is None


@pytest.mark.parametrize(
    ("if_range", "honoured"),
    [
        (TAG, True),
        (f" {TAG} ", True),
        (f"W/{TAG}", False),
        (OTHER, False),
        ("*", False),
        ("Wed, 21 Oct 2015 07:28:00 GMT", False),
    ],
)
def test_if_range_takes_the_same_strong_tag_alone(if_range: str, *, honoured: bool) -> None:
    assert (span("bytes=1-2", if_range=if_range) is not None) is honoured


def test_a_range_of_another_state_cannot_be_unsatisfiable() -> None:
    assert span("bytes=99-", if_range=OTHER) is None


@given(st.text(max_size=40), st.integers(0, 20))
def test_no_header_makes_a_span_outside_the_file(header: str, size: int) -> None:
    try:
        found = span(f"bytes={header}", size=size)
    except UnsatisfiableError:
        return
    assert found is None or 0 <= found.start < found.stop <= size


@pytest.mark.parametrize(
    ("header", "weakly", "strongly"),
    [
        (TAG, True, True),
        (f"W/{TAG}", True, False),
        (f"{OTHER}, {TAG}", True, True),
        (f'"a,b" ,{TAG}', True, True),
        (f"W/{OTHER},W/{TAG}", True, False),
        ("*", True, True),
        (" * ", True, True),
        (OTHER, False, False),
        (TAG.strip('"'), False, False),
        ("", False, False),
    ],
)
def test_tags_are_compared_weakly_or_strongly(header: str, *, weakly: bool, strongly: bool) -> None:
    assert (matches(header, TAG), matches_strongly(header, TAG)) == (weakly, strongly)
