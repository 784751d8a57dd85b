"""Endpoints ask for a service by its type; the composition root put it there.

Uploads = Annotated[UploadEmoji, Provided(UploadEmoji)]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.params import Depends as DependsMarker
from fastapi.routing import APIRoute

_Service = TypeVar("_Service")


class MissingServiceError(LookupError):
    """A route asks for a service that the process does not have."""


def provide(app: FastAPI, services: Mapping[type, object]) -> None:
    """Make services known to an app's endpoints; a type may be provided once."""
    known: dict[type, object] = getattr(app.state, "services", {})
    clash = known.keys() & services.keys()
    if clash:
        message = f"provided twice: {sorted(kind.__name__ for kind in clash)}"
        raise ValueError(message)
    app.state.services = {**known, **services}


def service_of(services: Mapping[type, object], kind: type[_Service]) -> _Service:
    """The service of that type; raises `MissingServiceError`."""
    if kind not in services:
        raise MissingServiceError(kind.__name__)
    found = services[kind]
    if not isinstance(found, kind):
        message = f"{kind.__name__} is provided by a {type(found).__name__}"
        raise TypeError(message)
    return found


@dataclass(frozen=True)
class _Find:
    kind: type[object]

    async def __call__(self, request: Request) -> object:
        return service_of(request.app.state.services, self.kind)


def Provided(kind: type[object]) -> DependsMarker:  # noqa: N802 (reads as a type in annotations)
    """Make the dependency that finds a service of this type."""
    marker: DependsMarker = Depends(_Find(kind))
    return marker


def require_services(routers: Sequence[APIRouter], services: Mapping[type, object]) -> None:
    """Raise `MissingServiceError` for what a route would look for in vain, before it does."""
    for router in routers:
        for route in router.routes:
            if not isinstance(route, APIRoute):
                continue
            for kind in _asked_for(route.dependant):
                if kind not in services:
                    message = f"{route.path} asks for {kind.__name__}, which nobody provides"
                    raise MissingServiceError(message)


def _asked_for(dependant: Dependant) -> Iterator[type[object]]:
    if isinstance(dependant.call, _Find):
        yield dependant.call.kind
    for inner in dependant.dependencies:
        yield from _asked_for(inner)
