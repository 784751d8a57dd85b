"""`emoji-gallery migrate`: brings the database to the newest schema."""

from __future__ import annotations

import typer

from emoji_gallery.bootstrap import Resources
from emoji_gallery.cli.working import with_resources
from emoji_gallery.kit.migrations import migrate as apply_migrations
from emoji_gallery.kit.migrations import newest_revision


def migrate() -> None:
    """Apply the migrations that the database lacks; running it again changes nothing."""
    with_resources(_apply)
    typer.echo(f"The database is at revision {newest_revision()}.")


async def _apply(resources: Resources) -> None:
    await apply_migrations(resources.database)
