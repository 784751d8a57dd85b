import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from emoji_gallery.accounts.service.recent import Recent
from tests.accounts.clocks import Time
from tests.waiting import eventually

TTL = timedelta(seconds=25)


@dataclass
class Source:
    """What is asked when nothing recent is known; it answers when it is let."""

    value: str = "first"
    asked: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None

    async def __call__(self) -> str:
        self.asked += 1
        value = self.value
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return value


@pytest.fixture
def recent(time: Time) -> Recent[str, str]:
    return Recent(size=3, ttl=TTL, clock=time)


def test_an_answer_is_believed_for_its_time(recent: Recent[str, str], time: Time) -> None:
    recent.put("alice", "free")
    time.passes(24.9)
    assert recent.get("alice") == "free"
    time.passes(0.1)
    assert recent.get("alice") is None
    assert len(recent) == 0


def test_an_answer_from_the_future_is_not_believed(recent: Recent[str, str], time: Time) -> None:
    recent.put("alice", "free")
    time.passes(-1)

    assert recent.get("alice") is None


def test_the_least_recently_used_answer_makes_room(recent: Recent[str, str]) -> None:
    for name in ("alice", "bob", "carol"):
        recent.put(name, name)
    assert recent.get("alice") == "alice"
    recent.put("dave", "dave")

    assert len(recent) == 3
    assert recent.get("bob") is None
    assert recent.get("alice") == "alice"


async def test_one_load_serves_all_that_wait(recent: Recent[str, str]) -> None:
    source = Source()
    waiting = [asyncio.create_task(recent.get_or_load("alice", source)) for _ in range(10)]
    await eventually(lambda: source.asked == 1, within=5)
    source.gate.set()

    assert await asyncio.gather(*waiting) == ["first"] * 10
    assert source.asked == 1
    assert await recent.get_or_load("alice", source) == "first"
    assert source.asked == 1


async def test_an_answer_is_as_old_as_its_question(recent: Recent[str, str], time: Time) -> None:
    source = Source()
    waiting = asyncio.create_task(recent.get_or_load("alice", source))
    await eventually(lambda: source.asked == 1, within=5)
    time.passes(20)
    source.gate.set()
    await waiting
    time.passes(5)

    assert recent.get("alice") is None


async def test_a_failed_load_reaches_all_and_is_forgotten(recent: Recent[str, str]) -> None:
    source = Source(error=LookupError("away"))
    source.gate.set()
    both = await asyncio.gather(
        recent.get_or_load("alice", source),
        recent.get_or_load("alice", source),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in both] == [LookupError, LookupError]
    source.error = None
    assert await recent.get_or_load("alice", source) == "first"


async def test_a_caller_that_goes_away_cancels_nobody_elses_load(
    recent: Recent[str, str],
) -> None:
    source = Source()
    leaver = asyncio.create_task(recent.get_or_load("alice", source))
    stayer = asyncio.create_task(recent.get_or_load("alice", source))
    await eventually(lambda: source.asked == 1, within=5)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    source.gate.set()

    assert leaver.cancelled()
    assert await stayer == "first"
    assert source.asked == 1


async def test_what_was_read_before_a_change_is_not_kept_after_it(
    recent: Recent[str, str],
) -> None:
    source = Source()
    before = asyncio.create_task(recent.get_or_load("alice", source))
    await eventually(lambda: source.asked == 1, within=5)
    source.value = "second"
    recent.forget("alice")
    after = asyncio.create_task(recent.get_or_load("alice", source))
    await eventually(lambda: source.asked == 2, within=5)
    source.gate.set()

    assert await before == "first"
    assert await after == "second"
    assert recent.get("alice") == "second"


def test_answers_are_forgotten_by_what_they_say(recent: Recent[str, str]) -> None:
    recent.put("key 1", "alice")
    recent.put("key 2", "bob")
    recent.forget_where(lambda owner: owner == "alice")

    assert recent.get("key 1") is None
    assert recent.get("key 2") == "bob"
