import pytest
from starlette.responses import PlainTextResponse

from emoji_gallery.edge.cors import CorsSettings, cors_layer
from tests.clients import client_of

EDITOR = "https://editor.example"


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [("", None), (EDITOR, EDITOR), (f"https://x.example, {EDITOR}", EDITOR), ("*", "*")],
)
async def test_only_the_origins_of_the_setting_may_read_answers(
    setting: str, allowed: str | None
) -> None:
    app = cors_layer(PlainTextResponse("ok"), CorsSettings(cors_origins=setting))
    async with client_of(app) as client:
        answer = await client.get("/", headers={"Origin": EDITOR})
    assert answer.headers.get("access-control-allow-origin") == allowed
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_preflight_for_an_upload_is_answered() -> None:
    app = cors_layer(PlainTextResponse("ok"), CorsSettings(cors_origins=EDITOR))
    asked = {
        "Origin": EDITOR,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key",
    }
    async with client_of(app) as client:
        answer = await client.options("/emoji/", headers=asked)
        stranger = await client.options(
            "/emoji/", headers={**asked, "Origin": "https://evil.example"}
        )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == EDITOR
    assert stranger.status_code == 400
    assert "access-control-allow-origin" not in stranger.headers
