"""`emoji-gallery users`: what is stored of users."""

from __future__ import annotations

from typing import Annotated

import typer

from emoji_gallery.accounts.rules.standing import DEFAULT_TIER
from emoji_gallery.accounts.store.users import User
from emoji_gallery.cli.desk import at_the_desk
from emoji_gallery.cli.listing import show
from emoji_gallery.cli.subject import Subject, parse_subject
from emoji_gallery.contracts.ids import UserId

app = typer.Typer(no_args_is_help=True, help="Users: tiers, revocation, erasure.")

_COLUMNS = ("USER_ID", "STORED_TIER", "TOKENS_REVOKED_BEFORE", "CREATED", "UPDATED")

_CLAIM = "none"

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")]
After = Annotated[str | None, typer.Option(parser=parse_subject, help="Begin behind this user id.")]
Sure = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list")
def list_users(after: After = None, limit: Limit = 100) -> None:
    """List users in the order of their ids."""
    last = None if after is None else UserId(after)
    users = at_the_desk(lambda desk: desk.users.page(after=last, limit=limit))
    show(_COLUMNS, [_row(user) for user in users])


@app.command("show")
def show_user(user_id: Subject) -> None:
    """Show one user."""
    user = at_the_desk(lambda desk: desk.users.find(UserId(user_id)))
    show(_COLUMNS, [_row(user)])


@app.command("set-tier")
def set_tier(
    user_id: Subject,
    tier: Annotated[
        str, typer.Argument(help=f"A tier's name; {_CLAIM} gives it back to the token's claim.")
    ],
) -> None:
    """Store a user's tier, which then goes before the claim of the user's token."""
    stored = None if tier == _CLAIM else tier
    at_the_desk(lambda desk: desk.users.put_on_tier(UserId(user_id), stored))
    said = f"on {stored}" if stored else f"on the tier that the token claims, else {DEFAULT_TIER}"
    typer.echo(f"{user_id} is {said}.")


@app.command("revoke-tokens")
def revoke_tokens(user_id: Subject) -> None:
    """Revoke every token issued to a user until now; API keys are revoked one by one."""
    at_the_desk(lambda desk: desk.users.revoke_tokens(UserId(user_id)))
    typer.echo(f"The tokens of {user_id} are revoked, everywhere within a minute.")


@app.command("erase")
def erase(user_id: Subject, *, yes: Sure = False) -> None:
    """Erase a user for good: uploads, keys, settings."""
    if not yes:
        typer.confirm(f"Erase all that is kept of {user_id}?", abort=True)
    at_the_desk(lambda desk: desk.erasure.erase(UserId(user_id)))
    typer.echo(f"{user_id} is erased; uploads go as soon as a worker runs.")


def _row(user: User) -> tuple[object, ...]:
    return (
        user.user_id,
        user.tier,
        user.tokens_revoked_before,
        user.created_at,
        user.updated_at,
    )
