from typing import Annotated

import pytest
from fastapi import APIRouter, Query
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from emoji_gallery.edge.app import create_app
from emoji_gallery.edge.feature import Feature
from emoji_gallery.edge.health import Health
from emoji_gallery.edge.provide import MissingServiceError, Provided, require_services, service_of
from tests.clients import client_of


class Greeter:
    greeting = "hello"


router = APIRouter()


@router.get("/greet")
async def greet(
    greeter: Annotated[Greeter, Provided(Greeter)],
    name: Annotated[str, Query()] = "you",
    also: Annotated[list[str] | None, Query(alias="and")] = None,
) -> list[str]:
    return [greeter.greeting, name, *(also or [])]


def _app(health: Health) -> ASGIApp:
    feature = Feature(name="greetings", routers=[router], services={Greeter: Greeter()})
    return create_app([feature], {Health: health, CollectorRegistry: CollectorRegistry()})


async def test_an_endpoint_gets_the_service_of_its_type() -> None:
    async with client_of(_app(Health())) as client:
        answer = await client.get("/greet?name=x&and=a&and=b")
    assert answer.json() == ["hello", "x", "a", "b"]


@pytest.mark.parametrize("query", ["nmae=x", "name=x&limit=3", "also=x"])
async def test_an_unknown_query_parameter_is_refused_by_name(query: str) -> None:
    async with client_of(_app(Health())) as client:
        answer = await client.get(f"/greet?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_error"
    assert answer.json()["parameters"] == [query.rpartition("&")[2].partition("=")[0]]
    assert answer.json()["known"] == ["and", "name"]


async def test_a_nul_in_a_query_is_refused() -> None:
    async with client_of(_app(Health())) as client:
        answer = await client.get("/greet?name=a%00b")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")


def test_a_service_is_provided_once() -> None:
    feature = Feature(name="greetings", services={Greeter: Greeter()})
    with pytest.raises(ValueError, match="Greeter"):
        create_app([feature, feature], {})


def test_a_service_is_an_instance_of_its_type() -> None:
    with pytest.raises(TypeError, match="Greeter"):
        service_of({Greeter: "no greeter"}, Greeter)


def test_a_route_that_asks_for_a_service_nobody_provides_is_found_at_once() -> None:
    require_services([router], {Greeter: Greeter()})
    with pytest.raises(MissingServiceError, match="/greet asks for Greeter"):
        require_services([router], {})


async def test_liveness_needs_no_dependency() -> None:
    async with client_of(_app(Health(checks={"database": _away}))) as client:
        answer = await client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readiness_fails_until_the_process_serves() -> None:
    health = Health()
    async with client_of(_app(health)) as client:
        before = await client.get("/health/ready")
        health.serving = True
        after = await client.get("/health/ready")
    assert (before.status_code, before.json()["code"]) == (503, "unavailable")
    assert (after.status_code, after.json()["status"]) == (200, "ok")


async def _fine() -> None:
    return


async def _away() -> None:
    message = "10.0.0.7 does not answer"
    raise ConnectionRefusedError(message)


async def test_a_dependency_that_is_away_is_reported_and_the_process_stays_ready() -> None:
    health = Health(checks={"database": _fine, "cache": _away}, serving=True)
    async with client_of(_app(health)) as client:
        answer = await client.get("/health/ready")
    report = answer.json()
    assert (answer.status_code, report["status"]) == (200, "degraded")
    assert report["dependencies"]["cache"] == {
        "status": "degraded",
        "error": "ConnectionRefusedError",
    }
    assert report["dependencies"]["database"]["status"] == "ok"
    assert report["dependencies"]["database"]["latency_ms"] >= 0
    assert "10.0.0.7" not in answer.text


async def test_metrics_are_in_the_text_format_of_prometheus() -> None:
    async with client_of(_app(Health())) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")


async def test_the_openapi_document_names_the_routes() -> None:
    async with client_of(_app(Health())) as client:
        document = (await client.get("/openapi.json")).json()
    assert set(document["paths"]) == {"/greet", "/health/live", "/health/ready", "/metrics"}
