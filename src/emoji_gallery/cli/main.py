"""Mounts the commands."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="emoji-gallery",
    help="The emoji backend of a movie editor.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """Settings come from the environment; `docs/operating.md` lists them."""


def main() -> None:
    """Run the command that the arguments name."""
    app()
