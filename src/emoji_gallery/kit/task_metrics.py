"""Counts and times of tasks."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from emoji_gallery.kit.queue import TaskOutcome


class NobodyObserves:
    """A `TaskObserver` for processes that report no metrics."""

    def task_published(self, task: str) -> None:
        """Nothing is counted."""

    def task_started(self, task: str) -> None:
        """Nothing is counted."""

    def task_finished(self, task: str, outcome: TaskOutcome, seconds: float) -> None:
        """Nothing is counted."""


class TaskMetrics:
    """A `TaskObserver` that counts into a Prometheus registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""
        self._published = Counter(
            "emoji_tasks_published",
            "Tasks written, also where the transaction was rolled back later.",
            ("task",),
            registry=registry,
        )
        self._running = Gauge(
            "emoji_tasks_running", "Tasks being run by this process.", ("task",), registry=registry
        )
        self._finished = Counter(
            "emoji_tasks_finished", "Runs that ended.", ("task", "outcome"), registry=registry
        )
        self._seconds = Histogram(
            "emoji_task_seconds",
            "Seconds that runs took.",
            ("task",),
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=registry,
        )

    def task_published(self, task: str) -> None:
        """Count a task that was written."""
        self._published.labels(task).inc()

    def task_started(self, task: str) -> None:
        """Count a run that begins."""
        self._running.labels(task).inc()

    def task_finished(self, task: str, outcome: TaskOutcome, seconds: float) -> None:
        """Count and time a run that ended."""
        self._running.labels(task).dec()
        self._finished.labels(task, outcome).inc()
        self._seconds.labels(task).observe(seconds)
