"""Tokens of the embedded shape: signed and verified with the local secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from emoji_gallery.accounts.rules.claims import TokenPolicy
from emoji_gallery.accounts.rules.tokens import (
    LOCAL_ALGORITHM,
    TokenHeader,
    VerificationKey,
    signed_token,
)
from emoji_gallery.contracts.identity import Scope
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.jsontypes import JSON

# The purpose that the signing key is derived for from the master secret.
TOKEN_KEY_PURPOSE: Final = "tokens"  # noqa: S105 (names a purpose, is no secret)

_NAME: Final = "emoji-gallery"


@dataclass(frozen=True)
class LocalKeys:
    """The one key that signs and verifies here, of at least 32 bytes."""

    secret: bytes

    @property
    def policy(self) -> TokenPolicy:
        """The service is issuer and audience of its own tokens."""
        return TokenPolicy(issuer=_NAME, audience=_NAME)

    async def key_for(self, header: TokenHeader) -> VerificationKey | None:
        """The secret, for its own algorithm only."""
        if header.algorithm != LOCAL_ALGORITHM:
            return None
        return VerificationKey(LOCAL_ALGORITHM, self.secret)

    def issue(
        self,
        subject: UserId,
        *,
        tier: str | None,
        scopes: Sequence[Scope],
        now: datetime,
        ttl: timedelta,
    ) -> str:
        """A token for a user, valid from `now` for `ttl`."""
        claims: dict[str, JSON] = {
            "iss": _NAME,
            "aud": _NAME,
            "sub": subject,
            # Fractions of a second are allowed (RFC 7519, section 2), and let a token that was
            # issued right after a revocation be told from one issued right before.
            "iat": round(now.timestamp(), 6),
            "exp": round((now + ttl).timestamp(), 6),
        }
        if tier is not None:
            claims["tier"] = tier
        if scopes:
            claims["scope"] = " ".join(scopes)
        return signed_token(claims, self.secret)
