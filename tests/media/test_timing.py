"""Delays of frames."""

from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.media.timing import gif_delays, played_ms

delays_ms = st.lists(st.integers(min_value=0, max_value=5_000), min_size=1, max_size=50)


def test_a_pass_lasts_as_long_as_its_delays() -> None:
    assert played_ms([100, 50, 30]) == 180


def test_delays_that_browsers_do_not_honour_last_a_tenth_of_a_second() -> None:
    assert played_ms([0, 10, 11, 20]) == 100 + 100 + 11 + 20


def test_delays_become_hundredths_without_drift() -> None:
    assert gif_delays([33, 33, 34] * 4) == [30, 40, 30] * 4
    assert gif_delays([70, 60, 70]) == [70, 60, 70]


def test_short_delays_stay_honoured_and_shortest_ones_stay_not() -> None:
    assert gif_delays([12, 0, 10]) == [20, 0, 0]


@given(delays=delays_ms)
def test_a_gif_plays_the_same_delays_as_honoured(delays: list[int]) -> None:
    written = gif_delays(delays)
    assert [delay > 10 for delay in written] == [delay > 10 for delay in delays]
    assert all(delay % 10 == 0 for delay in written)


@given(delays=st.lists(st.integers(min_value=20, max_value=500), min_size=1, max_size=200))
def test_the_total_is_kept_to_half_a_hundredth(delays: list[int]) -> None:
    assert abs(sum(gif_delays(delays)) - sum(delays)) <= 5
