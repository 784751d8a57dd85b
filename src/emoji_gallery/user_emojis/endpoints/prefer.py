"""The preference `wait` of a request (RFC 7240, 4.3)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_LONGEST: Final = timedelta(seconds=10)
_WAIT: Final = re.compile(
    r'\s*wait\s*=\s*(?:([0-9]{1,9})|"([0-9]{1,9})")\s*(?:;.*)?', re.IGNORECASE
)


def requested_wait(prefer: str | None) -> timedelta | None:
    """How long a client will wait, ten seconds at most; None when it does not say, or not so.

    A preference that cannot be read is ignored, as all preferences may be; the first one counts.
    """
    for preference in (prefer or "").split(","):
        if wait := _WAIT.fullmatch(preference):
            return min(timedelta(seconds=int(wait[1] or wait[2])), _LONGEST)
    return None
