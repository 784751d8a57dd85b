"""A client that speaks to an ASGI application in this process."""

from __future__ import annotations

import httpx
from starlette.types import ASGIApp


def client_of(app: ASGIApp, *, token: str | None = None) -> httpx.AsyncClient:
    """A client with a bearer token, if one is given; exceptions of the app reach the client."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gallery.test", headers=headers)
