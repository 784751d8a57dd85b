"""What every limiter promises, held against the shared one and the one of a single process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import pytest

from emoji_gallery.kit.limiter import Limiter
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.redis_gate import RedisSettings, open_gate
from emoji_gallery.kit.redis_limiter import RedisLimiter

MINUTE: Final = timedelta(minutes=1)


@pytest.fixture(params=["redis", "local"])
def shared_url(request: pytest.FixtureRequest) -> str:
    """Where counts are shared; empty where they are not."""
    return str(request.getfixturevalue("redis_url")) if request.param == "redis" else ""


@pytest.fixture
async def limiter(shared_url: str) -> AsyncIterator[Limiter]:
    local = LocalLimiter(replicas=1)
    if not shared_url:
        yield local
        return
    gate = open_gate(RedisSettings(redis_url=shared_url, redis_timeout_ms=5000))
    yield RedisLimiter(gate, local)
    await gate.close()


async def test_hits_count_down_to_the_refusal(limiter: Limiter) -> None:
    verdicts = [await limiter.hit("reads", "user:a", limit=3, window=MINUTE) for _ in range(4)]

    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert [verdict.remaining for verdict in verdicts] == [2, 1, 0, 0]
    assert {verdict.limit for verdict in verdicts} == {3}


async def test_a_refusal_says_when_to_come_back(limiter: Limiter) -> None:
    first = await limiter.hit("reads", "user:a", limit=1, window=MINUTE)
    second = await limiter.hit("reads", "user:a", limit=1, window=MINUTE)

    assert (first.retry_after, first.reset_seconds) == (0, 60)
    assert 58 <= second.retry_after <= 60
    assert 58 <= second.reset_seconds <= 60


async def test_64_simultaneous_hits_never_exceed_the_limit(limiter: Limiter) -> None:
    hits = [limiter.hit("reads", "user:a", limit=40, window=MINUTE) for _ in range(64)]

    verdicts = await asyncio.gather(*hits)

    assert sum(verdict.allowed for verdict in verdicts) == 40
    allowed = sorted(verdict.remaining for verdict in verdicts if verdict.allowed)
    assert allowed == list(range(40))


async def test_units_come_back_when_the_window_has_passed(limiter: Limiter) -> None:
    window = timedelta(milliseconds=300)
    loop = asyncio.get_running_loop()
    spent: list[tuple[float, float]] = []

    # As many hits as the machine manages for a second and a half.
    while not spent or loop.time() - spent[0][0] < 1.5:
        asked_at = loop.time()
        if (await limiter.hit("reads", "user:a", limit=5, window=window)).allowed:
            spent.append((asked_at, loop.time()))
        await asyncio.sleep(0)

    # The fifth after any hit comes a whole window later: between the moment when the earlier one
    # was asked for and the one when the later was answered. Clocks differ by their resolution.
    gaps = [told - asked for (asked, _), (_, told) in zip(spent, spent[5:], strict=False)]
    assert gaps
    assert min(gaps) > 0.29


async def test_policies_and_subjects_are_counted_apart(limiter: Limiter) -> None:
    await limiter.hit("reads", "user:a", limit=1, window=MINUTE)

    other_policy = await limiter.hit("uploads", "user:a", limit=1, window=MINUTE)
    other_subject = await limiter.hit("reads", "user:b", limit=1, window=MINUTE)

    assert other_policy.allowed
    assert other_subject.allowed


async def test_a_hit_takes_all_of_its_cost_or_nothing(limiter: Limiter) -> None:
    await limiter.hit("media", "address:x", limit=10, window=MINUTE, cost=8)

    too_much = await limiter.hit("media", "address:x", limit=10, window=MINUTE, cost=3)
    rest = await limiter.hit("media", "address:x", limit=10, window=MINUTE, cost=2)

    assert not too_much.allowed
    assert too_much.remaining == 2
    assert rest.allowed
    assert rest.remaining == 0


async def test_more_than_the_limit_at_once_is_never_allowed(limiter: Limiter) -> None:
    verdict = await limiter.hit("media", "address:x", limit=10, window=MINUTE, cost=11)

    assert not verdict.allowed
    assert verdict.remaining == 10
    assert verdict.retry_after >= 1


async def test_a_lowered_limit_holds_for_what_was_spent_before(limiter: Limiter) -> None:
    for _ in range(5):
        await limiter.hit("reads", "user:a", limit=10, window=MINUTE)

    verdict = await limiter.hit("reads", "user:a", limit=3, window=MINUTE)

    assert not verdict.allowed
    assert verdict.remaining == 0


async def test_a_window_too_short_to_count_in_is_refused(limiter: Limiter) -> None:
    with pytest.raises(ValueError, match="60 ms"):
        await limiter.hit("reads", "user:a", limit=1, window=timedelta(milliseconds=59))
