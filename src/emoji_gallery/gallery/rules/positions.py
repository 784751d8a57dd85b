"""Sparse global positions: a row can be put between two others without moving any other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

STEP: Final = 1_000

# JSON numbers are exact up to 2**53 in every client.
MAX_POSITION: Final = 2**53 - 1


def appended(count: int, *, after: int) -> list[int]:
    """Positions for `count` new rows behind the last one, at multiples of the step."""
    first = (after // STEP + 1) * STEP
    return [first + STEP * index for index in range(count)]


def arranged(present: Sequence[int | None], *, last: int) -> list[int]:
    """Positions that follow the wanted order and move as few rows as possible.

    `present` holds, in the wanted order, where each row is now, or None for a new one; `last`
    is the largest position in use. Rows that are in order among themselves stay (a longest
    non-decreasing subsequence); the others go between their new neighbours, at the end behind
    `last`. Where a gap is too narrow, rows share a position and their ids decide.
    """
    kept = _longest_increasing(present)
    positions = [place if index in kept else None for index, place in enumerate(present)]
    arranged_rows: list[int] = []
    index = 0
    while index < len(positions):
        place = positions[index]
        if place is not None:
            arranged_rows.append(place)
            index += 1
            continue
        end = index
        while end < len(positions) and positions[end] is None:
            end += 1
        below = arranged_rows[-1] if arranged_rows else 0
        above = positions[end] if end < len(positions) else None
        arranged_rows.extend(_between(end - index, below, above, last))
        index = end
    return arranged_rows


def _between(count: int, below: int, above: int | None, last: int) -> list[int]:
    if above is None:
        return appended(count, after=max(below, last))
    return [below + (above - below) * (index + 1) // (count + 1) for index in range(count)]


def _longest_increasing(values: Sequence[int | None]) -> set[int]:
    """The indices of a longest non-decreasing subsequence, None left out (patience sorting)."""
    tails: list[int] = []
    tail_at: list[int] = []
    before: dict[int, int] = {}
    for index, value in enumerate(values):
        if value is None:
            continue
        pile = bisect_right(tails, value)
        if pile:
            before[index] = tail_at[pile - 1]
        tails[pile : pile + 1] = [value]
        tail_at[pile : pile + 1] = [index]
    kept: set[int] = set()
    at = tail_at[-1] if tail_at else None
    while at is not None:
        kept.add(at)
        at = before.get(at)
    return kept
