"""Puts the HTTP side of a process together from the features that it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from emoji_gallery import __version__
from emoji_gallery.edge import docs_page, health
from emoji_gallery.edge.documented_problems import document_problems
from emoji_gallery.edge.feature import Feature
from emoji_gallery.edge.problems import install_problem_handlers
from emoji_gallery.edge.provide import provide
from emoji_gallery.edge.strict_query import refuse_unknown_query

# Wraps an application in one layer.
Layer = Callable[[ASGIApp], ASGIApp]

_DESCRIPTION = """\
The emoji backend of a movie editor: a gallery of in-house emojis in tiers, and what users
upload themselves. Errors are `application/problem+json` (RFC 9457) with a stable `code`.
"""


def create_app(features: Sequence[Feature], services: Mapping[type, object]) -> FastAPI:
    """The FastAPI application with every route of the features."""
    app = FastAPI(
        title="Emoji Gallery",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(refuse_unknown_query)],
        generate_unique_id_function=_operation_id,
    )
    install_problem_handlers(app)
    provide(app, services)
    for feature in features:
        provide(app, feature.services)
        for router in feature.routers:
            app.include_router(router)
    app.include_router(health.router)
    app.include_router(docs_page.router)
    document_problems(app)
    return app


def layered(app: ASGIApp, layers: Sequence[Layer]) -> ASGIApp:
    """Wrap an application; the first layer is the outermost."""
    for layer in reversed(layers):
        app = layer(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
