"""`/docs`: Swagger UI over our own `openapi.json`, with nothing loaded from anywhere else.

The package `fastapi-offline` carries Swagger UI's files; only those are used of it. No script
and no style stands in the page itself, so its content security policy can refuse any that a
document or an answer might smuggle in.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, RedirectResponse

router = APIRouter(include_in_schema=False)

# Swagger UI's icons are data URLs in its style sheet.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Emoji Gallery: HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="docs"></main>
<noscript>This page needs scripts; the document that it shows is <a href="/openapi.json">
openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

# A token that was typed in lasts until the page is left; it is kept nowhere.
_START: Final = """\
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""

Asset = Literal["swagger-ui.css", "swagger-ui-bundle.js"]

_TYPES: Final[dict[Asset, str]] = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}

_ASSET_HEADERS: Final = {
    "Cache-Control": "public, max-age=86400",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/")
async def front_door() -> RedirectResponse:
    """Whoever opens the address in a browser wants to see something."""
    return RedirectResponse("/docs")


@router.get("/docs")
async def docs() -> Response:
    """The page."""
    headers = {
        "Content-Security-Policy": _POLICY,
        "Cache-Control": "public, max-age=300",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(_PAGE, media_type="text/html", headers=headers)


@router.get("/docs/start.js")
async def start() -> Response:
    """The one script of our own: it starts Swagger UI."""
    return Response(_START, media_type="text/javascript", headers=_ASSET_HEADERS)


@router.get("/docs/swagger-ui.css")
async def style() -> FileResponse:
    """Swagger UI's style sheet."""
    return _asset("swagger-ui.css")


@router.get("/docs/swagger-ui-bundle.js")
async def script() -> FileResponse:
    """Swagger UI itself."""
    return _asset("swagger-ui-bundle.js")


def _asset(name: Asset) -> FileResponse:
    file = Path(str(files("fastapi_offline"))) / "static" / name
    return FileResponse(file, media_type=_TYPES[name], headers=_ASSET_HEADERS)
