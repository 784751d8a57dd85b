"""Rate, errors and duration of requests, by route."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram


class RequestMetrics:
    """Prometheus metrics of the HTTP edge, in the registry that it is given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""
        self._requests = Counter(
            "emoji_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "emoji_http_request_seconds",
            "Seconds from the request's head to its answer's end.",
            ("method", "route"),
            buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; 499 stands for a client that left before it."""
        known = method if method in _METHODS else "OTHER"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
