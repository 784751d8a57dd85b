"""Which numbers a tier may be given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_MIB: Final = 1024 * 1024

# The least and the most that each limit may be. A file may be as long as the edge reads of a
# refused body, 64 MiB. Pixels and frames stop at what the decoders' children are bounded to:
# a higher number here would promise what they refuse.
BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "upload_limit": (0, 1_000_000),
    "max_file_bytes": (1, 64 * _MIB),
    "max_side": (1, 4096),
    "max_frame_pixels": (1, 16_800_000),
    "max_frames": (1, 1000),
    "max_total_pixels": (1, 50_000_000),
    "reads_per_minute": (1, 10_000_000),
    "uploads_per_minute": (1, 1_000_000),
    "anonymous_reads_per_minute": (1, 10_000_000),
}

# Limits that may be none at all, and what that means.
OPTIONAL: Final[Mapping[str, str]] = {
    "upload_limit": "unlimited",
    "anonymous_reads_per_minute": "the same as reads_per_minute",
}


class TierLimitError(ValueError):
    """A limit that no tier can have. The message names it and says what it may be."""


def check_limits(changes: Mapping[str, int | None]) -> None:
    """Raise `TierLimitError` for the first limit that is unknown or out of its bounds."""
    for name, value in changes.items():
        if name not in BOUNDS:
            raise TierLimitError(f"{name} is not a limit; there are {', '.join(BOUNDS)}.")
        least, most = BOUNDS[name]
        if value is None and name not in OPTIONAL:
            raise TierLimitError(f"{name} needs a number.")
        if value is not None and not least <= value <= most:
            raise TierLimitError(f"{name} is from {least} to {most}, not {value}.")
