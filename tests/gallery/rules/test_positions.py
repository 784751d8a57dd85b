from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.gallery.rules.positions import appended, arranged


@pytest.mark.parametrize(("after", "first"), [(0, 1000), (999, 1000), (1000, 2000), (1001, 2000)])
def test_new_rows_come_behind_the_last_at_round_positions(after: int, first: int) -> None:
    assert appended(2, after=after) == [first, first + 1000]


@pytest.mark.parametrize(
    ("present", "last", "positions"),
    [
        ([], 0, []),
        ([None, None], 0, [1000, 2000]),
        ([1000, None, 2000], 5000, [1000, 1500, 2000]),
        ([None, 1000], 1000, [500, 1000]),
        ([1000, None], 7000, [1000, 8000]),
        ([2000, 1000, 3000], 3000, [500, 1000, 3000]),
        ([3000, 1000, 2000], 3000, [500, 1000, 2000]),
        ([1000, None, None, 1001], 1001, [1000, 1000, 1000, 1001]),
        ([1000, 1000, 2000], 2000, [1000, 1000, 2000]),
    ],
)
def test_rows_in_order_stay_and_others_go_between(
    present: list[int | None], last: int, positions: list[int]
) -> None:
    assert arranged(present, last=last) == positions


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**6)), max_size=30))
def test_an_arrangement_is_in_order_and_stays_when_it_is_made_again(
    present: list[int | None],
) -> None:
    last = max((place for place in present if place is not None), default=0)
    once = arranged(present, last=last)
    assert all(one <= other for one, other in pairwise(once))
    assert arranged(once, last=max(once, default=0)) == once
