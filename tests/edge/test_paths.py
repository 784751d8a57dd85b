from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI

from emoji_gallery.edge.paths import EmojiIdPath, NormalisePath, UserIdPath
from emoji_gallery.edge.problems import install_problem_handlers
from emoji_gallery.kit.typeids import format_id, new_uuid
from tests.clients import client_of


def _app() -> NormalisePath:
    app = FastAPI(redirect_slashes=False)
    install_problem_handlers(app)

    @app.get("/user/emojis/{user_id}")
    async def list_of(user_id: UserIdPath) -> str:
        return user_id

    @app.get("/users/{user_id}/export")
    async def export(user_id: UserIdPath) -> Annotated[str, "the user"]:
        return user_id

    @app.get("/gallery/{emoji_id}")
    async def emoji(emoji_id: EmojiIdPath) -> str:
        return str(emoji_id)

    return NormalisePath(app)


@pytest.mark.parametrize(
    ("path", "user_id"),
    [
        ("/user/emojis/maker", "maker"),
        ("/user/emojis/maker/", "maker"),
        ("/user/emojis/auth0%7C42", "auth0|42"),
        ("/user/emojis/team%2Fmaker", "team/maker"),
        ("/user/emojis/team%2fmaker/", "team/maker"),
        ("/user/emojis/100%25", "100%"),
        ("/user/emojis/a%252Fb", "a%2Fb"),
        ("/user/emojis/%C3%A9mile", "émile"),
        ("/users/a%2Fexport/export", "a/export"),
        ("/user/emojis/" + "x" * 128, "x" * 128),
    ],
)
async def test_user_ids_are_decoded_within_their_segment(path: str, user_id: str) -> None:
    async with client_of(_app()) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (200, user_id)


@pytest.mark.parametrize("segment", ["x" * 129, "a%00b", "a%0Ab", "%FF"])
async def test_a_user_id_that_cannot_exist_is_refused(segment: str) -> None:
    async with client_of(_app()) as client:
        answer = await client.get(f"/user/emojis/{segment}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_error"


async def test_an_emoji_id_is_a_typeid_with_its_prefix() -> None:
    uuid = new_uuid()
    async with client_of(_app()) as client:
        known = await client.get(f"/gallery/{format_id('emj', uuid)}/")
        other_kind = await client.get(f"/gallery/{format_id('uem', uuid)}")
        nonsense = await client.get("/gallery/nonsense")
    assert known.json() == str(uuid)
    assert [other_kind.status_code, nonsense.status_code] == [404, 404]


async def test_two_segments_are_not_one() -> None:
    async with client_of(_app()) as client:
        answer: httpx.Response = await client.get("/user/emojis/team/maker")
    assert answer.status_code == 404
