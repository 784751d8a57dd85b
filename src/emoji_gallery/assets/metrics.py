"""What the feature counts, in Prometheus' terms."""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram

Origin = Literal["memory", "storage", "made"]


class AssetMetrics:
    """Metrics of assets, in the registry that they are given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""
        self._made = Counter(
            "emoji_renditions_made", "Renditions drawn by a child.", ("name",), registry=registry
        )
        self._failed = Counter(
            "emoji_renditions_failed", "Renditions not drawn.", ("reason",), registry=registry
        )
        self._seconds = Histogram(
            "emoji_rendition_seconds",
            "Seconds from claiming renditions to having stored them.",
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
            registry=registry,
        )
        self._delivered = Counter(
            "emoji_media_delivered", "Files delivered.", ("origin",), registry=registry
        )
        self._collected = Counter(
            "emoji_assets_collected", "Assets whose files were removed.", registry=registry
        )

    def made(self, name: str) -> None:
        """A child drew a rendition, and it is stored."""
        self._made.labels(name).inc()

    def failed(self, reason: str) -> None:
        """A rendition could not be drawn."""
        self._failed.labels(reason).inc()

    def took(self, seconds: float) -> None:
        """Renditions were claimed, drawn and stored."""
        self._seconds.observe(seconds)

    def delivered(self, origin: Origin) -> None:
        """A file was found for a request."""
        self._delivered.labels(origin).inc()

    def collected(self, assets: int) -> None:
        """Assets are gone."""
        self._collected.inc(assets)
