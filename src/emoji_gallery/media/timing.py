"""Frame delays: how browsers play them, and how they are written into a GIF."""

from collections.abc import Sequence
from typing import Final

_SHORTEST_HONOURED_MS: Final = 11
_INSTEAD_MS: Final = 100


def played_ms(delays: Sequence[int]) -> int:
    """Add up one pass as browsers play it: a delay of 10 ms or less lasts 100 ms.

    Chrome, Firefox and Safari agree on this rule. Delays are kept as they are in what is
    rendered, so a rendition plays as its source does.
    """
    return sum(delay if delay >= _SHORTEST_HONOURED_MS else _INSTEAD_MS for delay in delays)


def gif_delays(delays: Sequence[int]) -> list[int]:
    """Round delays in ms to a GIF's hundredths of a second without drift of the total.

    A delay that browsers honour stays one that they honour, and one that they stretch stays so.
    """
    rounded, owed = [], 0
    for delay in delays:
        nearest = (delay + owed + 5) // 10 * 10
        honoured = delay >= _SHORTEST_HONOURED_MS
        kept = max(nearest, 20) if honoured else min(max(nearest, 0), 10)
        owed += delay - kept
        rounded.append(kept)
    return rounded
