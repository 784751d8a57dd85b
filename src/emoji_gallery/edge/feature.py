"""A feature's manifest: what a process runs when a role names the feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from fastapi import APIRouter

from emoji_gallery.contracts.identity import UserData
from emoji_gallery.kit.periodic import PeriodicTask
from emoji_gallery.kit.queue import TaskHandler

# Something that runs as long as the process: entered before the first request is served.
Background = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Feature:
    """Routes, the services they ask for, and the tasks that a worker runs."""

    name: str
    routers: Sequence[APIRouter] = ()
    services: Mapping[type, object] = field(default_factory=dict)
    tasks: Sequence[TaskHandler] = ()
    periodic: Sequence[PeriodicTask] = ()
    user_data: Sequence[UserData] = ()
    background: Sequence[Background] = ()
