import re

import httpx
import pytest
import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from emoji_gallery.edge.app import layered
from emoji_gallery.edge.problems import install_problem_handlers
from emoji_gallery.edge.request_context import RequestContext, RequestLogSettings
from emoji_gallery.edge.request_metrics import RequestMetrics
from emoji_gallery.kit.errors import InvalidInputError, UnavailableError
from tests.clients import client_of


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def context(registry: CollectorRegistry) -> RequestContext:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/fine/{thing}")
    async def fine(thing: str) -> str:
        return thing

    @app.get("/bug")
    async def bug() -> None:
        message = "SELECT secret FROM somewhere"
        raise RuntimeError(message)

    @app.get("/refused")
    async def refused() -> None:
        message = "Too long."
        raise InvalidInputError(message, limit=64)

    @app.get("/away")
    async def away() -> None:
        raise UnavailableError(retry_after=7)

    return RequestContext(app, RequestMetrics(registry), RequestLogSettings())


@pytest.mark.parametrize("given", ["abc-123", "00-4bf92f3577b34da6a3ce929d0e0e4736-01", "a" * 128])
async def test_a_sane_request_id_is_echoed(context: RequestContext, given: str) -> None:
    async with client_of(context) as client:
        answer = await client.get("/fine/x", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a" * 129, 'a"b', "a b", "{}"])
async def test_another_request_id_is_replaced(context: RequestContext, given: str) -> None:
    async with client_of(context) as client:
        answer = await client.get("/fine/x", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_two_requests_have_two_ids(context: RequestContext) -> None:
    async with client_of(context) as client:
        ids = {(await client.get("/fine/x")).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2


def _assert_problem(answer: httpx.Response, *, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["code"] == code
    assert answer.json()["status"] == status
    assert answer.headers["x-request-id"]


async def test_a_bug_is_a_500_that_tells_nothing(context: RequestContext) -> None:
    async with client_of(context) as client:
        answer = await client.get("/bug")
    _assert_problem(answer, status=500, code="internal_error")
    assert "SELECT" not in answer.text


async def test_a_bug_in_a_layer_is_a_500_too(registry: CollectorRegistry) -> None:
    async def broken(*_: object) -> None:
        message = "SELECT secret"
        raise RuntimeError(message)

    app = layered(
        broken,
        [lambda inner: RequestContext(inner, RequestMetrics(registry), RequestLogSettings())],
    )
    async with client_of(app) as client:
        answer = await client.get("/anything")
    _assert_problem(answer, status=500, code="internal_error")
    assert "SELECT" not in answer.text


async def test_a_problem_carries_its_fields(context: RequestContext) -> None:
    async with client_of(context) as client:
        answer = await client.get("/refused")
    _assert_problem(answer, status=422, code="validation_error")
    assert answer.json()["limit"] == 64
    assert answer.json()["detail"] == "Too long."
    assert answer.json()["instance"] == "/refused"


async def test_a_problem_carries_its_headers(context: RequestContext) -> None:
    async with client_of(context) as client:
        answer = await client.get("/away")
    _assert_problem(answer, status=503, code="unavailable")
    assert answer.headers["retry-after"] == "7"


async def test_unknown_paths_and_methods_are_problems(context: RequestContext) -> None:
    async with client_of(context) as client:
        _assert_problem(await client.get("/nowhere"), status=404, code="not_found")
        wrong_method = await client.post("/bug")
    _assert_problem(wrong_method, status=405, code="method_not_allowed")
    assert wrong_method.headers["allow"] == "GET"


async def test_requests_are_counted_by_route_and_not_by_path(
    context: RequestContext, registry: CollectorRegistry
) -> None:
    async with client_of(context) as client:
        for thing in ("a", "b", "c"):
            await client.get(f"/fine/{thing}")
        await client.request("BREW", "/nowhere")
    counted = registry.get_sample_value(
        "emoji_http_requests_total", {"method": "GET", "route": "/fine/{thing}", "status": "200"}
    )
    strange = registry.get_sample_value(
        "emoji_http_requests_total", {"method": "OTHER", "route": "unmatched", "status": "404"}
    )
    assert (counted, strange) == (3, 1)


async def _logged_paths(app: ASGIApp) -> list[str]:
    with structlog.testing.capture_logs() as lines:
        async with client_of(app) as client:
            for path in ("/fine/x", "/refused", "/bug"):
                await client.get(path)
    return [line["path"] for line in lines if line["event"] == "request.finished"]


async def test_every_request_is_logged(context: RequestContext) -> None:
    assert await _logged_paths(context) == ["/fine/x", "/refused", "/bug"]


async def test_behind_a_proxy_that_logs_only_failures_are(context: RequestContext) -> None:
    settings = RequestLogSettings(log_requests="failures")
    quiet = RequestContext(context.app, context.metrics, settings)
    assert await _logged_paths(quiet) == ["/refused", "/bug"]
