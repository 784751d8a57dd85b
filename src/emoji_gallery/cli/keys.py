"""`emoji-gallery keys`: API keys of users."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from emoji_gallery.accounts.rules.api_keys import API_KEY_PREFIX
from emoji_gallery.cli.desk import at_the_desk
from emoji_gallery.cli.listing import show
from emoji_gallery.cli.scopes import ScopeName
from emoji_gallery.cli.subject import Subject, parse_subject
from emoji_gallery.contracts.identity import Scope
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.typeids import InvalidIdError, format_id, parse_id

app = typer.Typer(no_args_is_help=True, help="API keys: create, list, revoke.")

_COLUMNS = ("ID", "USER_ID", "LABEL", "KEY", "SCOPES", "CREATED", "LAST_USED", "REVOKED")


def parse_label(text: str) -> str:
    """A key's label; raises `typer.BadParameter`."""
    if not 1 <= len(text) <= 64 or not text.isprintable():  # noqa: PLR2004 (said below)
        raise typer.BadParameter("a label has 1 to 64 printable characters")
    return text


def parse_key_id(text: str) -> UUID:
    """The id of a key; raises `typer.BadParameter`."""
    try:
        return parse_id(API_KEY_PREFIX, text)
    except InvalidIdError as error:
        raise typer.BadParameter(f"the id of a key begins with {API_KEY_PREFIX}_") from error


@app.command("create")
def create(
    user_id: Subject,
    label: Annotated[str, typer.Option(parser=parse_label, help="What it is for.")],
    scope: Annotated[list[ScopeName] | None, typer.Option(help="May be given repeatedly.")] = None,
) -> None:
    """Create a key and print it alone on its line; it is shown this once."""
    scopes: list[Scope] = [entry.value for entry in scope or ()]
    secret, key = at_the_desk(
        lambda desk: desk.keys.create(UserId(user_id), label=label, scopes=scopes)
    )
    typer.echo(secret)
    typer.echo(
        f"Its id is {format_id(API_KEY_PREFIX, key.id)}. Keep it: only a hash is stored.", err=True
    )


@app.command("list")
def list_keys(
    user_id: Annotated[
        str | None, typer.Argument(parser=parse_subject, help="Only this user's.")
    ] = None,
) -> None:
    """List keys, revoked ones too."""
    owner = None if user_id is None else UserId(user_id)
    keys = at_the_desk(lambda desk: desk.keys.list(owner))
    show(
        _COLUMNS,
        [
            (
                format_id(API_KEY_PREFIX, key.id),
                key.user_id,
                key.label,
                f"{key.preview}…",
                key.scopes,
                key.created_at,
                key.last_used_at,
                key.revoked_at,
            )
            for key in keys
        ],
    )


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, `key_…`.")],
) -> None:
    """Revoke a key for good."""
    parsed = parse_key_id(key_id)
    at_the_desk(lambda desk: desk.keys.revoke(parsed))
    typer.echo(f"{key_id} is revoked, everywhere within a minute.")
