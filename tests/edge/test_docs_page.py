from __future__ import annotations

import re

import httpx
import pytest
from fastapi import FastAPI

from emoji_gallery.edge.docs_page import router
from tests.clients import client_of


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(router)
    return client_of(app)


async def test_everything_that_the_page_loads_is_served_by_us(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {"/docs/start.js", "/docs/swagger-ui.css", "/openapi.json"} <= set(assets)
    for asset in assets:
        if asset != "data:,":
            assert (await client.get(asset)).status_code == 200, asset


async def test_page_runs_no_script_and_no_style_of_its_own(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert re.findall(r"<script(?! src=)", answer.text) == []


async def test_assets_say_what_they_are(client: httpx.AsyncClient) -> None:
    types = {
        "/docs": "text/html; charset=utf-8",
        "/docs/start.js": "text/javascript; charset=utf-8",
        "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "/docs/swagger-ui.css": "text/css; charset=utf-8",
    }
    for path, expected in types.items():
        answer = await client.get(path)
        assert answer.headers["Content-Type"] == expected
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_page_is_no_part_of_the_document(client: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json()["paths"] == {}


async def test_the_bare_address_leads_to_the_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
