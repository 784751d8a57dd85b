from dataclasses import dataclass, field

import pytest
from fastapi import Depends, FastAPI

from emoji_gallery.contracts.identity import Actor, Tier
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.edge.auth import (
    CurrentActor,
    Identify,
    RequireScope,
    SignedInActor,
    SignedInUser,
    caller_of,
)
from emoji_gallery.edge.problems import install_problem_handlers
from emoji_gallery.kit.errors import NotFoundError, UnauthenticatedError
from tests.clients import client_of
from tests.edge.visitors import FREE


@dataclass
class Names:
    """A twin of the real identities: a token is the user's name, with scopes behind a colon."""

    asked: list[tuple[str | None, str | None]] = field(default_factory=list)

    async def authenticate(self, authorization: str | None, acting_for: str | None) -> Actor:
        self.asked.append((authorization, acting_for))
        if authorization is None:
            return Actor(user_id=None, tier=FREE)
        name, _, scopes = authorization.removeprefix("Bearer ").partition(":")
        if name == "forged":
            raise UnauthenticatedError(given=True)
        return Actor(user_id=UserId(name), tier=FREE, scopes=frozenset(scopes.split()))

    async def tier(self, name: str) -> Tier:
        if name != FREE.name:
            raise NotFoundError
        return FREE

    async def tiers(self) -> list[Tier]:
        return [FREE]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def app(names: Names) -> Identify:
    api = FastAPI()
    install_problem_handlers(api)

    @api.get("/who")
    async def who(actor: CurrentActor) -> str | None:
        return actor.user_id

    @api.get("/me")
    async def me(user_id: SignedInUser) -> str:
        return user_id

    @api.get("/mine")
    async def mine(actor: SignedInActor) -> str | None:
        return actor.user_id

    @api.get("/desk", dependencies=[Depends(RequireScope(("curator", "admin")))])
    async def desk() -> str:
        return "welcome"

    @api.get("/docs")
    async def docs() -> str:
        return "anybody"

    return Identify(api, names)


async def test_without_a_token_the_caller_is_anonymous(app: Identify) -> None:
    async with client_of(app) as client:
        answer = await client.get("/who")
    assert (answer.status_code, answer.json()) == (200, None)


@pytest.mark.parametrize("path", ["/me", "/mine", "/desk"])
async def test_without_a_token_a_signed_in_route_is_401(app: Identify, path: str) -> None:
    async with client_of(app) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="emoji-gallery"'


async def test_a_token_names_the_user(app: Identify) -> None:
    async with client_of(app, token="maker") as client:
        assert (await client.get("/who")).json() == "maker"
        assert (await client.get("/me")).json() == "maker"
        assert (await client.get("/mine")).json() == "maker"


async def test_a_refused_token_is_401_also_where_none_is_needed(app: Identify) -> None:
    async with client_of(app, token="forged") as client:
        answer = await client.get("/who")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_tokenless_path_does_not_look_at_the_token(app: Identify, names: Names) -> None:
    async with client_of(app, token="forged") as client:
        answer = await client.get("/docs")
    assert answer.status_code == 200
    assert names.asked == []


@pytest.mark.parametrize(
    ("token", "status"),
    [("maker", 403), ("maker:service", 403), ("eve:curator", 200), ("eve:service admin", 200)],
)
async def test_a_scope_opens_a_route(app: Identify, token: str, status: int) -> None:
    async with client_of(app, token=token) as client:
        answer = await client.get("/desk")
    assert answer.status_code == status


async def test_two_authorization_headers_are_refused(app: Identify) -> None:
    headers = [("Authorization", "Bearer maker"), ("Authorization", "Bearer eve:admin")]
    async with client_of(app) as client:
        answer = await client.get("/who", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")


async def test_the_user_a_service_acts_for_is_handed_on(app: Identify, names: Names) -> None:
    async with client_of(app, token="editor:service") as client:
        await client.get("/who", headers={"Emoji-Actor": "maker"})
    assert names.asked == [("Bearer editor:service", "maker")]


def test_a_request_that_nobody_identified_has_no_caller() -> None:
    assert caller_of({"type": "http"}) is None
