"""What a process remembers of assets, so that a hot file costs no query."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from emoji_gallery.assets.rules.stored import StoredAsset
from emoji_gallery.assets.service.flights import Flights
from emoji_gallery.assets.store import known
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database

# Facts, and that a digest is unknown, are believed for this long.
_MEMORY: Final = timedelta(seconds=60)

# A refusal from memory is preceded by a look at what other processes changed, at most this often.
_NEWS_EVERY: Final = timedelta(seconds=1)

# A transaction that changed an asset in this process is over after this long, and one in another
# process is seen that began this long before the memory did.
_TRANSACTION: Final = timedelta(seconds=60)

_MAX_ASSETS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Memory:
    """What was found when a digest was looked up; `asset` is None for an unknown one."""

    asset: StoredAsset | None
    until: datetime


class KnownAssets:
    """Remembers a bounded number of digests, unknown ones too, for a minute each."""

    def __init__(self, db: Database, *, clock: Clock) -> None:
        """Remember nothing yet."""
        self._db = db
        self._clock = clock
        self._memories: OrderedDict[Digest, Memory] = OrderedDict()
        self._changing: OrderedDict[Digest, datetime] = OrderedDict()
        self._lookups: Flights[Digest, StoredAsset | None] = Flights()
        self._news: Flights[str, None] = Flights()
        self._news_from: datetime | None = None

    def recall(self, digest: Digest) -> Memory | None:
        """What is remembered of a digest; None when the database has to say."""
        memory = self._memories.get(digest)
        if memory is None or memory.until <= self._clock():
            return None
        return memory

    async def look_up(self, digest: Digest) -> StoredAsset | None:
        """Ask the database, once for all who ask at the same time, and remember the answer."""
        return await self._lookups.share(digest, lambda: self._look_up(digest))

    async def catch_up(self) -> None:
        """Forget what other processes changed lately, with one query a second at most."""
        now = self._clock()
        if self._news_from is None or now - self._news_from >= _NEWS_EVERY:
            await self._news.share("news", self._read_news)

    def expect_change(self, digests: Iterable[Digest]) -> None:
        """This process changes these: remember no refusal until its transaction is over."""
        until = self._clock() + _TRANSACTION
        for digest in digests:
            self._memories.pop(digest, None)
            self._changing[digest] = until
            self._changing.move_to_end(digest)
        self._drop_settled()

    def forget(self, digests: Iterable[Digest]) -> None:
        """Forget assets that are gone."""
        for digest in digests:
            self._memories.pop(digest, None)

    async def close(self) -> None:
        """End the lookups under way."""
        await self._lookups.close()
        await self._news.close()

    async def _look_up(self, digest: Digest) -> StoredAsset | None:
        async with self._db.reading() as connection:
            asset = await known.find(connection, digest)
        self._remember(digest, asset)
        return asset

    async def _read_news(self) -> None:
        self._news_from = self._clock()
        async with self._db.reading() as connection:
            self.forget(await known.changed_within(connection, _MEMORY + _TRANSACTION))

    def _remember(self, digest: Digest, asset: StoredAsset | None) -> None:
        self._drop_settled()
        if digest in self._changing and (asset is None or not asset.is_public):
            # A refusal that the transaction under way may be about to make wrong.
            return
        self._memories[digest] = Memory(asset, self._clock() + _MEMORY)
        self._memories.move_to_end(digest)
        if len(self._memories) > _MAX_ASSETS:
            self._memories.popitem(last=False)

    def _drop_settled(self) -> None:
        now = self._clock()
        while self._changing and next(iter(self._changing.values())) <= now:
            self._changing.popitem(last=False)
