"""`emoji-gallery tiers`: limits and rates, edited while the service runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from emoji_gallery.accounts.rules.tier_limits import BOUNDS, OPTIONAL, TierLimitError
from emoji_gallery.cli.desk import at_the_desk
from emoji_gallery.cli.listing import show
from emoji_gallery.cli.working import fail

app = typer.Typer(no_args_is_help=True, help="Tiers: limits and rates.")

_NONE: Final = "none"


def _limit(name: str, meaning: str) -> typer.models.OptionInfo:
    """The option of a limit, which says what it may be."""
    least, most = BOUNDS[name]
    none = f", or {_NONE}: {OPTIONAL[name]}" if name in OPTIONAL else ""
    option: typer.models.OptionInfo = typer.Option(
        f"--{name.replace('_', '-')}", help=f"{meaning} {least} to {most}{none}."
    )
    return option


@app.command("list")
def list_tiers() -> None:
    """List the tiers with their limits, lowest rank first."""
    rows = at_the_desk(lambda desk: desk.tiers.all())
    columns = ("name", "rank", *BOUNDS)
    described = [
        {**asdict(row.tier), "anonymous_reads_per_minute": row.anonymous_reads_per_minute}
        for row in rows
    ]
    show(
        [column.upper() for column in columns],
        [[row[column] for column in columns] for row in described],
    )


@app.command("set")
def set_limits(  # noqa: PLR0913 (each is an option of its own)
    name: Annotated[str, typer.Argument(help="The tier.")],
    *,
    upload_limit: Annotated[
        str | None, _limit("upload_limit", "Uploads that a user keeps.")
    ] = None,
    max_file_bytes: Annotated[str | None, _limit("max_file_bytes", "Bytes of a file.")] = None,
    max_side: Annotated[str | None, _limit("max_side", "Pixels of a side.")] = None,
    max_frame_pixels: Annotated[
        str | None, _limit("max_frame_pixels", "Pixels of a frame.")
    ] = None,
    max_frames: Annotated[str | None, _limit("max_frames", "Frames.")] = None,
    max_total_pixels: Annotated[
        str | None, _limit("max_total_pixels", "Pixels of all frames together.")
    ] = None,
    reads_per_minute: Annotated[str | None, _limit("reads_per_minute", "Reads a minute.")] = None,
    uploads_per_minute: Annotated[
        str | None, _limit("uploads_per_minute", "Uploads a minute.")
    ] = None,
    anonymous_reads_per_minute: Annotated[
        str | None,
        _limit("anonymous_reads_per_minute", "Reads a minute without a token, on the tier free."),
    ] = None,
) -> None:
    """Change limits of a tier; running processes know within a minute."""
    given = {
        "upload_limit": upload_limit,
        "max_file_bytes": max_file_bytes,
        "max_side": max_side,
        "max_frame_pixels": max_frame_pixels,
        "max_frames": max_frames,
        "max_total_pixels": max_total_pixels,
        "reads_per_minute": reads_per_minute,
        "uploads_per_minute": uploads_per_minute,
        "anonymous_reads_per_minute": anonymous_reads_per_minute,
    }
    changes = {limit: _number(limit, text) for limit, text in given.items() if text is not None}
    if not changes:
        fail("Name at least one limit; `emoji-gallery tiers set --help` lists them.")
    try:
        at_the_desk(lambda desk: desk.tiers.set_limits(name, changes))
    except TierLimitError as error:
        fail(str(error))
    said = ", ".join(f"{limit} {text}" for limit, text in given.items() if text is not None)
    typer.echo(f"{name} has {said}, everywhere within a minute.")


def _number(limit: str, text: str) -> int | None:
    if text == _NONE:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18:  # noqa: PLR2004 (a bigint)
        fail(f"{limit} is a whole number{f' or {_NONE}' if limit in OPTIONAL else ''}.")
    return int(text)
