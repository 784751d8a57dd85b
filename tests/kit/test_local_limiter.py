from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from emoji_gallery.kit import local_limiter
from emoji_gallery.kit.local_limiter import LocalLimiter

MINUTE: Final = timedelta(minutes=1)


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_process_allows_its_share_of_the_limit() -> None:
    limiter = LocalLimiter(replicas=3)

    verdicts = [await limiter.hit("reads", "user:a", limit=10, window=MINUTE) for _ in range(4)]

    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert {verdict.limit for verdict in verdicts} == {10}


async def test_a_share_is_never_nothing() -> None:
    limiter = LocalLimiter(replicas=50)

    assert (await limiter.hit("reads", "user:a", limit=10, window=MINUTE)).allowed


async def test_units_come_back_one_window_after_they_were_spent() -> None:
    clock = Seconds()
    limiter = LocalLimiter(replicas=1, clock=clock)
    for moment in (0, 10, 20):
        clock.now = 1000 + moment
        await limiter.hit("reads", "user:a", limit=3, window=MINUTE)

    clock.now = 1030
    refused = await limiter.hit("reads", "user:a", limit=3, window=MINUTE)
    clock.now = 1060
    allowed = await limiter.hit("reads", "user:a", limit=3, window=MINUTE)
    refused_again = await limiter.hit("reads", "user:a", limit=3, window=MINUTE)

    assert (refused.allowed, refused.retry_after, refused.reset_seconds) == (False, 30, 30)
    assert allowed.allowed
    assert (refused_again.allowed, refused_again.retry_after) == (False, 10)


async def test_a_dear_hit_waits_until_enough_came_back() -> None:
    clock = Seconds()
    limiter = LocalLimiter(replicas=1, clock=clock)
    for moment in (0, 10, 20):
        clock.now = 1000 + moment
        await limiter.hit("reads", "user:a", limit=3, window=MINUTE)

    verdict = await limiter.hit("reads", "user:a", limit=3, window=MINUTE, cost=2)

    assert verdict.retry_after == 50


async def test_the_subject_longest_unseen_is_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local_limiter, "_MOST_SUBJECTS", 2)
    limiter = LocalLimiter(replicas=1)
    for subject in ("user:a", "user:b", "user:a", "user:c"):
        await limiter.hit("reads", subject, limit=2, window=MINUTE)

    kept = await limiter.hit("reads", "user:a", limit=2, window=MINUTE)
    forgotten = await limiter.hit("reads", "user:b", limit=2, window=MINUTE)

    assert not kept.allowed
    assert forgotten.remaining == 1
