"""`emoji-gallery run`: the whole service on this machine, servers included, until Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer
import uvloop
from pydantic import ValidationError

from emoji_gallery.accounts.feature import token_keys
from emoji_gallery.accounts.service.local_keys import LocalKeys
from emoji_gallery.bootstrap import Application, Resources, import_builtin_pack, make_resources
from emoji_gallery.bootstrap.locate import located_alone
from emoji_gallery.cli.http_server import (
    CannotListenError,
    ServerFailedError,
    require_free,
    serving,
)
from emoji_gallery.cli.packs import shown_progress
from emoji_gallery.cli.stopping import end_with_parent, until_stopped
from emoji_gallery.cli.welcome import demo_user, welcome
from emoji_gallery.cli.working import fail
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.embedded.errors import EmbeddedError
from emoji_gallery.gallery.store.packs import summarise_packs
from emoji_gallery.kit.errors import ProblemError
from emoji_gallery.kit.logs import configure_logs
from emoji_gallery.kit.migrations import migrate
from emoji_gallery.kit.secrets import SecretError, master_secret
from emoji_gallery.roles import parse_role
from emoji_gallery.settings import Settings

log = structlog.get_logger(__name__)

_DEMO_TIERS: Final = ("free", "premium", "business")
_IN_HOUSE_PACK: Final = "openmoji"
_TOKEN_LIFE: Final = timedelta(days=30)


def run(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port to listen on; default PORT or 8000.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder that keeps everything; default DATA_DIR or .data.")
    ] = None,
    end_with_parent_: Annotated[
        bool, typer.Option("--end-with-parent", help="Stop when the program that started it dies.")
    ] = False,
) -> None:
    """Start PostgreSQL and Valkey, bring the database up to date, serve and work."""
    if end_with_parent_:
        end_with_parent()
    try:
        settings = _settings(port, data_dir)
    except ValidationError as error:
        fail("; ".join(f"{_name(entry['loc'])}: {entry['msg']}" for entry in error.errors()))
    except ValueError as error:
        fail(str(error))
    configure_logs(settings.logs)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(until_stopped(_serve(settings)))
    except (EmbeddedError, CannotListenError, ServerFailedError, SecretError, OSError) as refusal:
        fail(str(refusal))
    except ProblemError as refusal:
        fail(refusal.detail)


async def _serve(settings: Settings) -> None:
    """Serve until cancelled; the parts come up in the order of their needs and go in reverse."""
    await require_free(settings.process.host, settings.process.port)
    async with located_alone(settings) as complete:
        async with _resources(complete) as resources:
            await migrate(resources.database)
            await _import_in_house_pack(resources)
        async with _resources(complete) as resources:
            await _serve_from(resources)


async def _serve_from(resources: Resources) -> None:
    host, port = resources.settings.process.host, resources.settings.process.port
    application = Application(resources)
    async with application.running(), serving(application, host=host, port=port) as server:
        typer.echo(welcome(url=f"http://{host}:{port}", tokens=_demo_tokens(resources)))
        await asyncio.wait([server])
        await server


@asynccontextmanager
async def _resources(settings: Settings) -> AsyncIterator[Resources]:
    resources = make_resources(settings)
    try:
        yield resources
    finally:
        await resources.close()


async def _import_in_house_pack(resources: Resources) -> None:
    """Bring the in-house emojis into a gallery that has never had them.

    A pack is written in one transaction, so one that is there is there as a whole; what a
    newer version of it brings is the business of `packs import`.
    """
    async with resources.database.reading() as connection:
        known = {pack.name for pack in await summarise_packs(connection)}
    if _IN_HOUSE_PACK not in known:
        log.info("pack.importing", pack=_IN_HOUSE_PACK)
        with shown_progress("Importing the in-house emojis, once") as progress:
            await import_builtin_pack(resources, progress)


def _demo_tokens(resources: Resources) -> Mapping[str, str]:
    """A token per tier, where we are the ones who issue tokens."""
    keys = token_keys(resources.settings.accounts, master=resources.master, clock=resources.clock)
    if not isinstance(keys, LocalKeys):
        return {}
    return {
        tier: keys.issue(
            UserId(demo_user(tier)), tier=tier, scopes=(), now=resources.clock(), ttl=_TOKEN_LIFE
        )
        for tier in _DEMO_TIERS
    }


def _settings(port: int | None, data_dir: Path | None) -> Settings:
    """The environment's settings with the command line's on top; logs read well by default.

    Raises `ValueError` for what cannot hold, before anything has been started.
    """
    settings = Settings()
    parse_role(settings.process.role)
    if settings.secrets.secret_key.get_secret_value():
        master_secret(settings.secrets, settings.process.data_dir)
    given = {"port": port, "data_dir": data_dir}
    chosen = {name: value for name, value in given.items() if value is not None}
    logs = settings.logs
    if "log_format" not in logs.model_fields_set:
        logs = logs.model_copy(update={"log_format": "console"})
    return replace(settings, process=settings.process.model_copy(update=chosen), logs=logs)


def _name(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)).upper()
