"""Small files that are asked for often, kept in this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from emoji_gallery.assets.rules.keys import EVERY_NAME
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.clock import Clock

# A file that was erased elsewhere is served from here for no longer than this.
_MEMORY: Final = timedelta(seconds=60)


class HotFiles:
    """The files asked for last, up to a number of bytes, for a minute each."""

    def __init__(self, *, capacity: int, largest: int, clock: Clock) -> None:
        """Keep at most `capacity` bytes in files of at most `largest` bytes."""
        self.largest = min(largest, capacity)
        self._capacity = capacity
        self._clock = clock
        self._files: OrderedDict[tuple[Digest, str], tuple[bytes, datetime]] = OrderedDict()
        self._bytes = 0

    def get(self, digest: Digest, name: str) -> bytes | None:
        """The bytes of a file that is kept here."""
        entry = self._files.get((digest, name))
        if entry is None:
            return None
        data, until = entry
        if until <= self._clock():
            self._drop(digest, name)
            return None
        self._files.move_to_end((digest, name))
        return data

    def put(self, digest: Digest, name: str, data: bytes) -> None:
        """Keep a file, unless it is too large; others may have to go for it."""
        if len(data) > self.largest:
            return
        self._drop(digest, name)
        self._files[digest, name] = (data, self._clock() + _MEMORY)
        self._bytes += len(data)
        while self._bytes > self._capacity:
            self._drop(*next(iter(self._files)))

    def forget(self, digests: Iterable[Digest]) -> None:
        """Drop every file of assets that are gone."""
        for digest in digests:
            for name in EVERY_NAME:
                self._drop(digest, name)

    def _drop(self, digest: Digest, name: str) -> None:
        entry = self._files.pop((digest, name), None)
        if entry is not None:
            self._bytes -= len(entry[0])
