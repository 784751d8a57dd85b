"""`emoji-gallery openapi`: the API's document, generated from the code and committed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from emoji_gallery.bootstrap import openapi_document

_FILE = Path("openapi.json")


def openapi(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when the file has drifted.")
    ] = False,
    path: Annotated[Path, typer.Option(help="The file to write or check.")] = _FILE,
) -> None:
    """Write the OpenAPI document of all roles together."""
    document = orjson.dumps(openapi_document(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    fresh = document + b"\n"
    if not check:
        path.write_bytes(fresh)
        return
    if not path.exists() or path.read_bytes() != fresh:
        typer.echo(f"{path} has drifted from the code: run `make openapi` and commit it.", err=True)
        raise typer.Exit(1)
