"""What a verified token says, checked claim by claim (RFC 7519 and RFC 8725)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from emoji_gallery.contracts.identity import SCOPES
from emoji_gallery.contracts.ids import UserId, is_user_id

# How far an issuer's clock may run ahead of ours. It forgives `nbf` and `iat` only: a token
# is over at its `exp`, not half a minute later.
LEEWAY_SECONDS: Final = 30.0

# Seconds that a float still counts one by one: some 285 million years.
_END_OF_TIME: Final = 2**53

_MAX_TIER_CHARACTERS: Final = 64


class TokenRefusedError(Exception):
    """The token does not hold. The message is public: it helps its owner, nobody else."""


@dataclass(frozen=True)
class TokenPolicy:
    """Who must have issued a token, and for whom.

    Without an audience of our own a token that names one is meant for somebody else and is
    refused (RFC 7519, section 4.1.3).
    """

    issuer: str
    audience: str | None


@dataclass(frozen=True)
class Claims:
    """What a token says. Times are seconds since the epoch.

    `tier` is what the issuer claims, not yet known to be a tier of ours.
    """

    subject: UserId
    tier: str | None
    scopes: frozenset[str]
    issued_at: float | None
    expires_at: float

    def require_unexpired(self, now: datetime) -> None:
        """Raise `TokenRefusedError` once the token is over."""
        if self.expires_at <= now.timestamp():
            raise TokenRefusedError("The token has expired.")


def read_claims(payload: Mapping[str, object], policy: TokenPolicy, *, now: datetime) -> Claims:
    """The claims of a payload whose signature holds; raises `TokenRefusedError`."""
    expires_at = _time(payload, "exp")
    if expires_at is None:
        raise TokenRefusedError("The token has no expiry.")
    issued_at = _time(payload, "iat")
    for claimed in (issued_at, _time(payload, "nbf")):
        if claimed is not None and claimed > now.timestamp() + LEEWAY_SECONDS:
            raise TokenRefusedError("The token is not valid yet.")
    _require_issuer_and_audience(payload, policy)
    claims = Claims(
        subject=_subject(payload),
        tier=_tier(payload),
        scopes=_scopes(payload),
        issued_at=issued_at,
        expires_at=expires_at,
    )
    claims.require_unexpired(now)
    return claims


def _time(payload: Mapping[str, object], name: str) -> float | None:
    value = payload.get(name)
    if value is None:
        return None
    # `True` is an int to Python. NaN and infinity are numbers to its JSON and fail the bound.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TokenRefusedError(f"The token's {name} is not a number.")
    if not abs(value) < _END_OF_TIME:
        raise TokenRefusedError(f"The token's {name} is not a time.")
    return value


def _require_issuer_and_audience(payload: Mapping[str, object], policy: TokenPolicy) -> None:
    if payload.get("iss") != policy.issuer:
        raise TokenRefusedError("The token is from another issuer.")
    audience = payload.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    ours = audience is None if policy.audience is None else policy.audience in named
    if not ours:
        raise TokenRefusedError("The token is meant for another service.")


def _subject(payload: Mapping[str, object]) -> UserId:
    subject = payload.get("sub")
    if not is_user_id(subject):
        raise TokenRefusedError("The token's sub is not a user id.")
    return UserId(subject)


def _tier(payload: Mapping[str, object]) -> str | None:
    # A claim that cannot be a tier's name reads as none: who pays for what is the issuer's
    # business, and its mistake must not lock its users out.
    tier = payload.get("tier")
    return tier if isinstance(tier, str) and 1 <= len(tier) <= _MAX_TIER_CHARACTERS else None


def _scopes(payload: Mapping[str, object]) -> frozenset[str]:
    scope = payload.get("scope")
    if scope is None:
        return frozenset()
    if not isinstance(scope, str):
        raise TokenRefusedError("The token's scope is not a text of words between spaces.")
    # An identity provider adds words of its own (`openid`, `profile`), which mean nothing here.
    return frozenset(scope.split(" ")) & frozenset(SCOPES)
