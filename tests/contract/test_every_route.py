"""What holds for every route of the API, whichever feature it belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from emoji_gallery.bootstrap import Application, openapi_document
from emoji_gallery.kit.typeids import format_id, new_uuid
from tests.application import application
from tests.clients import client_of
from tests.parts import Parts

# Nothing here changes anything, so that one application serves all of it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

# Routes that answer a caller without a token. This list may only shrink.
WITHOUT_A_TOKEN = {
    ("get", "/gallery"),
    ("get", "/gallery/{emoji_id}"),
    ("get", "/gallery/categories"),
    ("get", "/gallery/packs"),
    ("get", "/media/{digest}/{rendition}"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
    ("get", "/metrics"),
}


def _routes() -> list[tuple[str, str]]:
    paths = openapi_document()["paths"]
    assert isinstance(paths, dict)
    return sorted((method, path) for path, item in paths.items() for method in item)


def _filled(path: str) -> str:
    emoji = "uem" if path.startswith("/emoji") else "emj"
    return (
        path.replace("{emoji_id}", format_id(emoji, new_uuid()))
        .replace("{user_id}", "somebody")
        .replace("{digest}", "0" * 64)
        .replace("{rendition}", "128.webp")
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(
    empty_database_url: str, parts: Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Application]:
    async with application(
        database_url=empty_database_url,
        redis_url=parts.servers.valkey.url(),
        data_dir=tmp_path_factory.mktemp("data"),
    ) as made:
        yield made


@pytest.fixture(scope="module")
def empty_database_url(parts: Parts) -> Iterator[str]:
    with parts.fresh_database() as url:
        yield url


async def test_the_list_of_routes_without_a_token_names_routes_that_exist() -> None:
    assert set(_routes()) >= WITHOUT_A_TOKEN


@pytest.mark.parametrize(("method", "path"), sorted(set(_routes()) - WITHOUT_A_TOKEN), ids=str)
async def test_without_a_token_the_answer_is_401(app: Application, method: str, path: str) -> None:
    async with client_of(app) as client:
        answer = await client.request(method, _filled(path))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), _routes(), ids=str)
async def test_a_forged_token_is_401_wherever_tokens_count(
    app: Application, method: str, path: str
) -> None:
    async with client_of(app, token="eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.") as client:
        answer = await client.request(method, _filled(path))
    tokenless = path.startswith(("/media", "/health", "/metrics"))
    assert (answer.status_code == 401) is not tokenless


@pytest.mark.parametrize("path", sorted({path for _, path in _routes()}))
async def test_a_method_that_a_path_lacks_is_405_with_those_it_has(
    app: Application, path: str
) -> None:
    async with client_of(app) as client:
        answer = await client.request("BREW", _filled(path))
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize("path", sorted(path for method, path in _routes() if method == "get"))
async def test_an_unknown_query_parameter_is_refused_on_every_route(
    app: Application, path: str
) -> None:
    async with client_of(app) as client:
        answer = await client.get(f"{_filled(path)}?surprise=1")
    assert answer.status_code in {401, 422}


@pytest.mark.parametrize("path", sorted(path for method, path in _routes() if method == "get"))
async def test_every_answer_of_an_error_is_a_problem_that_no_cache_keeps(
    app: Application, path: str
) -> None:
    async with client_of(app) as client:
        answer = await client.get(f"{_filled(path)}?surprise=1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    assert answer.json()["status"] == answer.status_code
