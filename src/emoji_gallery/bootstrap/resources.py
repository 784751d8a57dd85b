"""What the features are built from. Making it connects to nothing; opening it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry

from emoji_gallery.accounts.feature import local_identities, token_keys
from emoji_gallery.accounts.models import task_tables as accounts_tables
from emoji_gallery.accounts.service.identities import LocalIdentities
from emoji_gallery.assets.models import task_tables as assets_tables
from emoji_gallery.bootstrap.locate import located
from emoji_gallery.edge.page_cache import PageStore
from emoji_gallery.edge.paging import CursorCodec
from emoji_gallery.kit.clock import Clock, utc_now
from emoji_gallery.kit.database import Database, connect
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.memory_cache import MemoryCache
from emoji_gallery.kit.objects import ObjectStore, open_store
from emoji_gallery.kit.outbox.queue import OutboxQueue
from emoji_gallery.kit.outbox.tables import TaskTables
from emoji_gallery.kit.outbox.worker import worker_connections
from emoji_gallery.kit.queue import Queue, TaskObserver
from emoji_gallery.kit.redis_gate import RedisGate, open_gate
from emoji_gallery.kit.redis_limiter import RedisLimiter
from emoji_gallery.kit.secrets import derive_key, master_secret
from emoji_gallery.kit.task_metrics import TaskMetrics
from emoji_gallery.kit.two_level_cache import TwoLevelCache
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.settings import Settings
from emoji_gallery.user_emojis.models import task_tables as user_emojis_tables

_MIB: Final = 1024 * 1024

# Every feature that has tasks: a queue publishes into all of them, a worker runs all of them.
TASK_TABLES: Final[Sequence[TaskTables]] = (accounts_tables, assets_tables, user_emojis_tables)


@dataclass(frozen=True)
class Resources:
    """The parts of one process."""

    settings: Settings
    clock: Clock
    master: bytes
    registry: CollectorRegistry
    database: Database
    worker_database: Database
    redis: RedisGate
    pages: PageStore | None
    limiter: RedisLimiter
    objects: ObjectStore
    renderer: Renderer
    queue: Queue
    observer: TaskObserver
    cursors: CursorCodec
    identities: LocalIdentities

    async def close(self) -> None:
        """Close every connection."""
        await self.redis.close()
        await self.worker_database.close()
        await self.database.close()


def make_resources(settings: Settings, *, clock: Clock = utc_now) -> Resources:
    """Put the parts together; nothing is connected before its first use.

    `settings` name a database and a Redis: see `located` for those that leave them out.
    """
    data_dir = settings.process.data_dir
    master = master_secret(settings.secrets, data_dir)
    registry = CollectorRegistry()
    observer = TaskMetrics(registry)
    database = connect(settings.database, application_name="emoji-gallery")
    redis = open_gate(settings.redis)
    keys = token_keys(settings.accounts, master=master, clock=clock)
    return Resources(
        settings=settings,
        clock=clock,
        master=master,
        registry=registry,
        database=database,
        worker_database=_worker_database(settings),
        redis=redis,
        pages=_page_store(settings, redis),
        limiter=RedisLimiter(redis, LocalLimiter(replicas=settings.limiter.replicas)),
        objects=open_store(settings.storage, data_dir),
        renderer=Renderer(settings.renderer.bounds()),
        queue=OutboxQueue(TASK_TABLES, observer=observer),
        observer=observer,
        cursors=CursorCodec(derive_key(master, "cursor")),
        identities=local_identities(db=database, keys=keys, clock=clock),
    )


def _page_store(settings: Settings, redis: RedisGate) -> PageStore | None:
    """Where whole answers are kept: parsed in this process, packed in Redis for all."""
    if settings.cache.cache_mib == 0:
        return None
    # What Redis answers goes straight into the pages below it, so that it is not kept twice.
    shared = TwoLevelCache(MemoryCache(max_bytes=0), redis)
    return PageStore(MemoryCache(max_bytes=settings.cache.cache_mib * _MIB), shared)


def _worker_database(settings: Settings) -> Database:
    """Connections that tasks hold for as long as they run, apart from those of requests."""
    connections = worker_connections(TASK_TABLES, settings.worker)
    pool = settings.database.model_copy(update={"database_pool_size": connections})
    return connect(pool, application_name="emoji-gallery worker")


@asynccontextmanager
async def open_resources(settings: Settings | None = None) -> AsyncIterator[Resources]:
    """Lend the parts to a command and close them after it."""
    async with located(settings or Settings()) as complete:
        resources = make_resources(complete)
        try:
            yield resources
        finally:
            await resources.close()
