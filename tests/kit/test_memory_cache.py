from __future__ import annotations

from emoji_gallery.kit.memory_cache import MemoryCache


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def cache_of(max_bytes: int, clock: Seconds | None = None) -> MemoryCache[str]:
    return MemoryCache(max_bytes=max_bytes, clock=clock or Seconds())


def test_the_value_longest_unused_goes_when_the_cache_is_full() -> None:
    cache = cache_of(10 * 1000)
    for key in "abcdefghij":
        cache.set(key, key, size=600, seconds=60)
    cache.get("a")

    cache.set("k", "k", size=600, seconds=60)

    assert cache.get("a") == "a"
    assert cache.get("b") is None
    assert cache.bytes == 10_000


def test_a_value_that_would_push_out_too_much_is_not_kept() -> None:
    cache = cache_of(8000)

    cache.set("k", "old", size=10, seconds=60)
    cache.set("k", "large", size=601, seconds=60)

    assert cache.get("k") is None
    assert cache.bytes == 0


def test_a_value_is_gone_when_its_time_is_over() -> None:
    clock = Seconds()
    cache = cache_of(8000, clock)
    cache.set("k", "v", size=1, seconds=60)

    clock.now = 59.9
    assert cache.get("k") == "v"
    clock.now = 60
    assert cache.get("k") is None
    assert cache.bytes == 0


def test_a_value_without_time_is_not_kept() -> None:
    cache = cache_of(8000)

    cache.set("k", "v", size=1, seconds=0)

    assert cache.get("k") is None


def test_a_new_value_takes_the_place_of_the_old_one() -> None:
    cache = cache_of(8000)
    cache.set("k", "old", size=100, seconds=60)

    cache.set("k", "new", size=1, seconds=60)

    assert cache.get("k") == "new"
    assert cache.bytes == 401


def test_a_cache_of_no_bytes_keeps_nothing() -> None:
    cache = cache_of(0)

    cache.set("k", "v", size=0, seconds=60)

    assert cache.get("k") is None


def test_what_was_deleted_makes_room() -> None:
    cache = cache_of(8000)
    cache.set("k", "v", size=1, seconds=60)

    cache.delete("k")
    cache.delete("k")

    assert cache.bytes == 0
