"""The feature's manifest: files for other features, `/media`, and the collector."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from os import cpu_count
from typing import Final

from prometheus_client import CollectorRegistry

from emoji_gallery.assets.endpoints import router
from emoji_gallery.assets.metrics import AssetMetrics
from emoji_gallery.assets.rules.links import Links
from emoji_gallery.assets.rules.signing import Signer, derived_key, parse_keys
from emoji_gallery.assets.service.collector import Collector
from emoji_gallery.assets.service.delivery import DeliverRendition
from emoji_gallery.assets.service.files import RenditionFiles
from emoji_gallery.assets.service.hot import HotFiles
from emoji_gallery.assets.service.known import KnownAssets
from emoji_gallery.assets.service.library import Assets
from emoji_gallery.assets.service.line import WaitingLine
from emoji_gallery.assets.service.making import MakeRenditions
from emoji_gallery.assets.service.misses import MissLimit
from emoji_gallery.assets.settings import AssetSettings
from emoji_gallery.edge.feature import Feature
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.limiter import Limiter
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.kit.periodic import PeriodicTask
from emoji_gallery.media.renderer import Renderer

_MIB: Final = 1024 * 1024

# Larger files are streamed from storage and not kept in memory.
_LARGEST_HOT: Final = 512 * 1024

_COLLECT_EVERY: Final = timedelta(hours=1)
_SWEEP_EVERY: Final = timedelta(days=1)


@dataclass(frozen=True)
class AssetParts:
    """What the feature is built from."""

    db: Database
    objects: ObjectStore
    renderer: Renderer
    limiter: Limiter
    clock: Clock
    registry: CollectorRegistry


def signer_of(settings: AssetSettings, secret: bytes) -> Signer:
    """The keys that settings name, or one made of `secret`; raises `ValueError`."""
    given = settings.media_signing_keys.get_secret_value()
    return Signer(tuple(parse_keys(given)) if given else (derived_key(secret),))


def build(
    parts: AssetParts, *, settings: AssetSettings, secret: bytes, referring: Sequence[str]
) -> Feature:
    """Put the feature together.

    `secret` signs media URLs where settings name no keys; `referring` are the schemas whose view
    `asset_references` says which assets are needed.
    """
    metrics = AssetMetrics(parts.registry)
    known = KnownAssets(parts.db, clock=parts.clock)
    hot = HotFiles(
        capacity=settings.media_cache_mib * _MIB, largest=_LARGEST_HOT, clock=parts.clock
    )
    making = MakeRenditions(parts.db, parts.objects, parts.renderer, metrics)
    line = WaitingLine(at_once=(cpu_count() or 1) + 1, waiting=settings.media_queue)
    files = RenditionFiles(parts.objects, hot, making, line, metrics)
    signer = signer_of(settings, secret)
    links = Links(signer, settings.media_base_url)
    misses = MissLimit(parts.limiter, settings.media_misses_per_minute)
    collector = Collector(
        db=parts.db,
        objects=parts.objects,
        schemas=referring,
        grace=settings.asset_grace,
        known=known,
        hot=hot,
        metrics=metrics,
        clock=parts.clock,
    )
    assets = Assets(parts.db, parts.objects, links, making, known, collector, parts.clock)
    return Feature(
        name="assets",
        routers=[router],
        services={
            Assets: assets,
            DeliverRendition: DeliverRendition(signer, known, files, misses, parts.clock),
        },
        periodic=[
            PeriodicTask("assets.collect", _COLLECT_EVERY, collector.collect),
            PeriodicTask("assets.sweep", _SWEEP_EVERY, collector.sweep),
        ],
        background=[partial(_work_under_way, files, known)],
    )


@asynccontextmanager
async def _work_under_way(files: RenditionFiles, known: KnownAssets) -> AsyncIterator[None]:
    """End what requests began and did not wait for."""
    try:
        yield
    finally:
        await files.close()
        await known.close()
