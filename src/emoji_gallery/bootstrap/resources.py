"""What the features are built from. Making it connects to nothing; opening it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from emoji_gallery.edge.paging import CursorCodec
from emoji_gallery.kit.clock import Clock, utc_now
from emoji_gallery.kit.database import Database, connect
from emoji_gallery.kit.secrets import derive_key, master_secret
from emoji_gallery.settings import Settings


@dataclass(frozen=True)
class Resources:
    """The parts of one process."""

    settings: Settings
    clock: Clock
    master: bytes
    registry: CollectorRegistry
    database: Database
    cursors: CursorCodec


def make_resources(settings: Settings, *, clock: Clock = utc_now) -> Resources:
    """Put the parts together; nothing is connected before its first use."""
    master = master_secret(settings.secrets, settings.process.data_dir)
    return Resources(
        settings=settings,
        clock=clock,
        master=master,
        registry=CollectorRegistry(),
        database=connect(settings.database, application_name="emoji-gallery"),
        cursors=CursorCodec(derive_key(master, "cursor")),
    )


@asynccontextmanager
async def open_resources(settings: Settings | None = None) -> AsyncIterator[Resources]:
    """Lend the parts to a command and close them after it."""
    resources = make_resources(settings or Settings())
    try:
        yield resources
    finally:
        await resources.database.close()
