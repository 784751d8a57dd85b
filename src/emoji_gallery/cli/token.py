"""`emoji-gallery token`: a token of the embedded shape, without touching any server."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

import typer

from emoji_gallery.accounts.service.local_keys import TOKEN_KEY_PURPOSE, LocalKeys
from emoji_gallery.accounts.settings import AccountsSettings
from emoji_gallery.cli.scopes import ScopeName
from emoji_gallery.cli.subject import parse_subject
from emoji_gallery.cli.working import fail
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.clock import utc_now
from emoji_gallery.kit.secrets import SecretSettings, derive_key, master_secret
from emoji_gallery.settings import ProcessSettings

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST: Final = timedelta(days=3650)


class TierName(StrEnum):
    """The tiers that every installation begins with."""

    FREE = "free"
    PREMIUM = "premium"
    BUSINESS = "business"


def parse_span(text: str) -> timedelta:
    """A span of time like `90s`, `15m`, `12h` or `30d`; raises `typer.BadParameter`."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if match is None:
        raise typer.BadParameter("a span of time reads 90s, 15m, 12h or 30d")
    span = timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    if not timedelta(0) < span <= _LONGEST:
        raise typer.BadParameter(f"from one second to {_LONGEST.days}d")
    return span


def token(
    name: Annotated[str, typer.Argument(parser=parse_subject, help="The user id, its `sub`.")],
    tier: Annotated[TierName | None, typer.Option(help="The tier that the token claims.")] = None,
    scope: Annotated[list[ScopeName] | None, typer.Option(help="May be given repeatedly.")] = None,
    ttl: Annotated[str, typer.Option(help="How long it holds: 90s, 15m, 12h, 30d.")] = "30d",
) -> None:
    """Print a token for a user, signed with the secret of the data folder."""
    issued = _keys().issue(
        UserId(name),
        tier=tier,
        scopes=[entry.value for entry in scope or ()],
        now=utc_now(),
        ttl=parse_span(ttl),
    )
    typer.echo(issued)


def _keys() -> LocalKeys:
    """The signing key of the service that uses the same data folder."""
    if AccountsSettings().jwks_url:
        fail("JWKS_URL is set: tokens come from the identity provider, not from here.")
    secret, data_dir = SecretSettings(), ProcessSettings().data_dir
    if not secret.secret_key.get_secret_value() and not data_dir.is_dir():
        fail(f"There is no data folder {data_dir}: start `make run` first, or set DATA_DIR.")
    try:
        return LocalKeys(derive_key(master_secret(secret, data_dir), TOKEN_KEY_PURPOSE))
    except (OSError, ValueError) as error:
        fail(f"The secret cannot be read: {error}")
