"""Runs a command's work, and ends it with one line instead of a traceback when it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from emoji_gallery.bootstrap import Resources, open_resources
from emoji_gallery.embedded.errors import EmbeddedError
from emoji_gallery.kit.errors import ProblemError
from emoji_gallery.kit.secrets import SecretError
from emoji_gallery.settings import SettingsError

# SQLSTATE of a schema and of a table that is not there.
_NO_TABLES: Final = ("3F000", "42P01")

_Outcome = TypeVar("_Outcome")


def with_resources(work: Callable[[Resources], Awaitable[_Outcome]]) -> _Outcome:
    """The outcome of work on the service's parts: those of a running `make run` if one runs."""

    async def run() -> _Outcome:
        async with open_resources() as resources:
            return await work(resources)

    try:
        return asyncio.run(run())
    except ProblemError as refusal:
        fail(refusal.detail)
    except ValidationError as error:
        fail("; ".join(f"{_name(entry['loc'])}: {entry['msg']}" for entry in error.errors()))
    except (EmbeddedError, SettingsError, SecretError, OSError) as error:
        fail(str(error))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _NO_TABLES:
            raise
        fail("The database is empty: run `emoji-gallery migrate` first, or `make run`.")


def fail(reason: str) -> NoReturn:
    """End the command with status 1 and a line on standard error."""
    typer.echo(f"Error: {reason}", err=True)
    raise typer.Exit(1)


def _name(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location).upper() or "settings"
