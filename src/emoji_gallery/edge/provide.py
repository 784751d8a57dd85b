"""Endpoints ask for a service by its type; the composition root put it there.

Uploads = Annotated[UploadEmoji, Provided(UploadEmoji)]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from fastapi import Depends, FastAPI, Request
from fastapi.params import Depends as DependsMarker

_Service = TypeVar("_Service")


def provide(app: FastAPI, services: Mapping[type, object]) -> None:
    """Make services known to an app's endpoints; a type may be provided once."""
    known: dict[type, object] = getattr(app.state, "services", {})
    clash = known.keys() & services.keys()
    if clash:
        message = f"provided twice: {sorted(kind.__name__ for kind in clash)}"
        raise ValueError(message)
    app.state.services = {**known, **services}


def service_of(services: Mapping[type, object], kind: type[_Service]) -> _Service:
    """The service of that type; raises `KeyError` when there is none."""
    found = services[kind]
    if not isinstance(found, kind):
        message = f"{kind.__name__} is provided by a {type(found).__name__}"
        raise TypeError(message)
    return found


def Provided(kind: type[object]) -> DependsMarker:  # noqa: N802 (reads as a type in annotations)
    """Make the dependency that finds a service of this type."""

    async def find(request: Request) -> object:
        return service_of(request.app.state.services, kind)

    marker: DependsMarker = Depends(find)
    return marker
