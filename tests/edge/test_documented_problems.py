from typing import Any

from fastapi import FastAPI

from emoji_gallery.edge.documented_problems import document_problems, problems
from emoji_gallery.kit.errors import ForbiddenError, NotFoundError, ProblemError


class TooManyError(ProblemError):
    status = 403
    code = "too_many"
    title = "There are too many."


class OddError(ProblemError):
    status = 422
    code = "odd"
    title = "It is odd."


def _document() -> dict[str, Any]:
    app = FastAPI()

    @app.get("/things/{thing}", responses=problems(NotFoundError, TooManyError, ForbiddenError))
    async def thing(thing: int) -> int:
        return thing

    @app.get("/odd/{thing}", responses=problems(OddError))
    async def odd(thing: int) -> int:
        return thing

    document_problems(app)
    return app.openapi()


def test_a_route_names_its_errors_by_status_with_their_codes() -> None:
    responses = _document()["paths"]["/things/{thing}"]["get"]["responses"]
    assert "`not_found`" in responses["404"]["description"]
    assert "`too_many`" in responses["403"]["description"]
    assert "`forbidden`" in responses["403"]["description"]
    assert list(responses["404"]["content"]) == ["application/problem+json"]


def test_refused_input_is_a_problem_and_not_the_frameworks_own_shape() -> None:
    document = _document()
    plain = document["paths"]["/things/{thing}"]["get"]["responses"]["422"]
    odd = document["paths"]["/odd/{thing}"]["get"]["responses"]["422"]
    assert list(plain["content"]) == ["application/problem+json"]
    assert "`odd`" in odd["description"]
    assert "`validation_error`" in odd["description"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "code" in document["components"]["schemas"]["Problem"]["required"]


def test_every_route_says_what_any_other_error_looks_like() -> None:
    for item in _document()["paths"].values():
        assert "`rate_limited`" in item["get"]["responses"]["default"]["description"]
