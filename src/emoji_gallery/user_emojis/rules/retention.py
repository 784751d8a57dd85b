"""For how long things are kept, and how often they are tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from emoji_gallery.contracts.identity import Tier

RESTORABLE_FOR: Final = timedelta(days=30)
REJECTED_LISTED_FOR: Final = timedelta(days=7)

# An emoji that waits to be processed and that nothing happened to for this long is taken up again.
LEFT_BEHIND_AFTER: Final = timedelta(minutes=2)
# An attempt that neither finished nor said why ended with its process: the picture may be at fault.
MAX_ATTEMPTS: Final = 5

# No request takes longer than this from its first byte to its commit.
LONGEST_REQUEST: Final = timedelta(hours=1)

_RESTORABLE_WITHOUT_LIMIT: Final = 1_000


def restorable_limit(tier: Tier) -> int:
    """How many deleted emojis of an owner stay restorable."""
    return _RESTORABLE_WITHOUT_LIMIT if tier.upload_limit is None else tier.upload_limit
