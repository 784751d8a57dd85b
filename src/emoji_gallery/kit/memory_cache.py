"""Values kept in this process: bounded in bytes, the least recently used go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Final, Generic, NamedTuple, TypeVar

_Value = TypeVar("_Value")

# What an entry costs beside its value: the key, the tuple, its places in the dictionary.
_ENTRY_BYTES: Final = 400


class _Entry(NamedTuple, Generic[_Value]):
    value: _Value
    size: int
    expires_at: float


class MemoryCache(Generic[_Value]):
    """Keeps values for some seconds, all together at most `max_bytes`.

    `clock` gives seconds and never goes back.
    """

    def __init__(self, *, max_bytes: int, clock: Callable[[], float] = monotonic) -> None:
        """Start empty."""
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: OrderedDict[str, _Entry[_Value]] = OrderedDict()
        self.bytes = 0

    def get(self, key: str) -> _Value | None:
        """The value, unless it is unknown or expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires_at <= self._clock():
            self.delete(key)
            return None
        self._entries.move_to_end(key)
        return entry.value

    def set(self, key: str, value: _Value, *, size: int, seconds: float) -> None:
        """Keep a value of `size` bytes; one larger than an eighth of the cache is not kept."""
        self.delete(key)
        cost = size + _ENTRY_BYTES
        if cost > self._max_bytes // 8 or seconds <= 0:
            return
        self._entries[key] = _Entry(value, cost, self._clock() + seconds)
        self.bytes += cost
        while self.bytes > self._max_bytes:
            _, oldest = self._entries.popitem(last=False)
            self.bytes -= oldest.size

    def delete(self, key: str) -> None:
        """Forget a key."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry.size
