from __future__ import annotations

from emoji_gallery.assets.service.hot import HotFiles
from emoji_gallery.contracts.ids import Digest
from tests.assets.stage import SetClock

A, B, C = (Digest(letter * 64) for letter in "abc")


def hot(clock: SetClock | None = None, *, capacity: int = 10, largest: int = 6) -> HotFiles:
    return HotFiles(capacity=capacity, largest=largest, clock=clock or SetClock())


def test_a_kept_file_is_found_by_digest_and_name() -> None:
    files = hot()
    files.put(A, "64.webp", b"1234")
    assert files.get(A, "64.webp") == b"1234"
    assert files.get(A, "64.png") is None
    assert files.get(B, "64.webp") is None


def test_the_one_asked_for_longest_ago_goes_first() -> None:
    files = hot()
    for digest in (A, B):
        files.put(digest, "64.webp", b"12345")
    files.get(A, "64.webp")
    files.put(C, "64.webp", b"12345")
    assert [files.get(digest, "64.webp") for digest in (A, B, C)] == [b"12345", None, b"12345"]


def test_a_file_that_is_put_again_counts_once() -> None:
    files = hot()
    for _ in range(3):
        files.put(A, "64.webp", b"12345")
    files.put(B, "64.webp", b"12345")
    assert files.get(A, "64.webp") is not None


def test_a_file_that_is_too_large_is_not_kept() -> None:
    files = hot()
    files.put(A, "64.webp", b"1234567")
    assert files.get(A, "64.webp") is None


def test_nothing_is_kept_without_capacity() -> None:
    files = hot(capacity=0)
    files.put(A, "64.webp", b"1")
    assert files.get(A, "64.webp") is None
    assert files.largest == 0


def test_a_file_is_kept_for_a_minute() -> None:
    clock = SetClock()
    files = hot(clock)
    files.put(A, "64.webp", b"1234567890"[:6])
    clock.advance(seconds=59)
    assert files.get(A, "64.webp") is not None
    clock.advance(seconds=1)
    assert files.get(A, "64.webp") is None
    files.put(B, "64.webp", b"123456")
    assert files.get(B, "64.webp") is not None


def test_all_files_of_an_asset_are_forgotten_together() -> None:
    files = hot()
    files.put(A, "64.webp", b"12")
    files.put(A, "1024.png", b"12")
    files.put(B, "64.webp", b"12")
    files.forget([A])
    assert files.get(A, "64.webp") is files.get(A, "1024.png") is None
    assert files.get(B, "64.webp") == b"12"
