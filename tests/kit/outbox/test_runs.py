from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from emoji_gallery.kit.outbox.runs import RetryByHandler, TaskFailedError, reason_of
from emoji_gallery.kit.queue import PermanentTaskError, RetryPolicy, TaskHandler
from tests.demo_tasks import PAINT, for_ever

NOW = datetime(2026, 5, 1, tzinfo=UTC)
POLICY = RetryPolicy(
    attempts=4, first_delay=timedelta(seconds=2), longest_delay=timedelta(seconds=6)
)
HANDLER = TaskHandler(PAINT, for_ever, retry=POLICY)


def pause_after(attempt: int, error: BaseException) -> float | None:
    return RetryByHandler(Random(1)).get_next_attempt_delay(
        first_attempt_at=NOW, last_attempt_at=NOW, attempts_count=attempt, exception=error
    )


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 2), (2, 4), (3, 6)])
def test_pauses_double_up_to_the_longest_give_or_take_a_quarter(
    attempt: int, seconds: float
) -> None:
    pause = pause_after(attempt, TaskFailedError(HANDLER, LookupError()))

    assert pause is not None
    assert 0.75 * seconds <= pause <= 1.25 * seconds


def test_pauses_of_tasks_that_failed_together_differ() -> None:
    random = Random(1)

    assert POLICY.delay_after(1, random) != POLICY.delay_after(1, random)


def test_the_last_attempt_has_no_pause_after_it() -> None:
    assert pause_after(4, TaskFailedError(HANDLER, LookupError())) is None


def test_very_many_attempts_keep_to_the_longest_pause() -> None:
    policy = RetryPolicy(attempts=10_000, longest_delay=timedelta(hours=1))

    pause = policy.delay_after(9_999, Random(1))

    assert pause is not None
    assert pause <= timedelta(hours=1.25)


def test_a_permanent_failure_has_no_pause_after_it() -> None:
    assert pause_after(1, TaskFailedError(HANDLER, PermanentTaskError())) is None


def test_an_error_of_the_transport_is_no_failure_of_a_run() -> None:
    with pytest.raises(TypeError):
        pause_after(1, LookupError())


def test_reasons_name_the_cause_and_are_bounded() -> None:
    assert reason_of(TaskFailedError(HANDLER, LookupError("no"))) == "LookupError: no"
    assert reason_of(ValueError("odd")) == "ValueError: odd"
    assert len(reason_of(ValueError("x" * 9999))) == 2000
