"""What the features are built from. Making it connects to nothing; opening it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from emoji_gallery.accounts.feature import local_identities, token_keys
from emoji_gallery.accounts.service.identities import LocalIdentities
from emoji_gallery.bootstrap.locate import located
from emoji_gallery.edge.paging import CursorCodec
from emoji_gallery.kit.clock import Clock, utc_now
from emoji_gallery.kit.database import Database, connect
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.memory_cache import MemoryCache
from emoji_gallery.kit.objects import ObjectStore, open_store
from emoji_gallery.kit.redis_gate import RedisGate, open_gate
from emoji_gallery.kit.redis_limiter import RedisLimiter
from emoji_gallery.kit.secrets import derive_key, master_secret
from emoji_gallery.kit.two_level_cache import TwoLevelCache
from emoji_gallery.settings import Settings

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Resources:
    """The parts of one process."""

    settings: Settings
    clock: Clock
    master: bytes
    registry: CollectorRegistry
    database: Database
    redis: RedisGate
    cache: TwoLevelCache
    limiter: RedisLimiter
    objects: ObjectStore
    cursors: CursorCodec
    identities: LocalIdentities

    async def close(self) -> None:
        """Close every connection."""
        await self.redis.close()
        await self.database.close()


def make_resources(settings: Settings, *, clock: Clock = utc_now) -> Resources:
    """Put the parts together; nothing is connected before its first use.

    `settings` name a database and a Redis: see `located` for those that leave them out.
    """
    data_dir = settings.process.data_dir
    master = master_secret(settings.secrets, data_dir)
    database = connect(settings.database, application_name="emoji-gallery")
    redis = open_gate(settings.redis)
    keys = token_keys(settings.accounts, master=master, clock=clock)
    return Resources(
        settings=settings,
        clock=clock,
        master=master,
        registry=CollectorRegistry(),
        database=database,
        redis=redis,
        cache=TwoLevelCache(MemoryCache(max_bytes=settings.cache.cache_mib * _MIB), redis),
        limiter=RedisLimiter(redis, LocalLimiter(replicas=settings.limiter.replicas)),
        objects=open_store(settings.storage, data_dir),
        cursors=CursorCodec(derive_key(master, "cursor")),
        identities=local_identities(db=database, keys=keys, clock=clock),
    )


@asynccontextmanager
async def open_resources(settings: Settings | None = None) -> AsyncIterator[Resources]:
    """Lend the parts to a command and close them after it."""
    async with located(settings or Settings()) as complete:
        resources = make_resources(complete)
        try:
            yield resources
        finally:
            await resources.close()
