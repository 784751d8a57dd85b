"""Mounts the commands."""

from __future__ import annotations

import typer

from emoji_gallery.cli import keys, packs, tasks, tiers, users
from emoji_gallery.cli.migrate import migrate
from emoji_gallery.cli.openapi import openapi
from emoji_gallery.cli.run import run
from emoji_gallery.cli.settings_table import settings
from emoji_gallery.cli.token import token

app = typer.Typer(
    name="emoji-gallery",
    help="The emoji backend of a movie editor.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


app.command()(run)
app.command()(token)
app.add_typer(packs.app, name="packs")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(tiers.app, name="tiers")
app.add_typer(tasks.app, name="tasks")
app.command()(migrate)
app.command()(openapi)
app.command()(settings)


@app.callback()
def root() -> None:
    """Settings come from the environment; `emoji-gallery settings` lists them."""


def main() -> None:
    """Run the command that the arguments name."""
    app()
