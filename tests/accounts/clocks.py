"""A clock that a test sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from emoji_gallery.kit.clock import utc_now


@dataclass
class Time:
    """Stands still until the test lets time pass."""

    now: datetime = field(default_factory=utc_now)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        """Let so many seconds go by."""
        self.now += timedelta(seconds=seconds)
