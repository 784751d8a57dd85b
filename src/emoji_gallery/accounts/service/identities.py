"""Who is asking: the `Identities` port, answered from this process' own database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from emoji_gallery.accounts.rules import api_keys
from emoji_gallery.accounts.rules.acting import UnreadableActorError, acted_for
from emoji_gallery.accounts.rules.standing import Standing
from emoji_gallery.accounts.service.credentials import Credentials, KeyRing, TokenVerifier
from emoji_gallery.accounts.service.standings import Standings
from emoji_gallery.accounts.service.tiers import TierBook
from emoji_gallery.contracts.identity import Actor, Tier
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)

_SCHEME: Final = "bearer"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LocalIdentities:
    """Believes tokens and keys; a stored tier goes before a claimed one."""

    book: TierBook
    standings: Standings
    tokens: TokenVerifier
    keys: KeyRing

    async def authenticate(self, authorization: str | None, acting_for: str | None) -> Actor:
        """The caller; see `Identities`. Raises `InvalidInputError` for a garbled actor."""
        if authorization is None:
            if acting_for is not None:
                raise UnauthenticatedError("Emoji-Actor needs the token of a service.")
            return Actor(user_id=None, tier=(await self.book.current()).anonymous())
        credentials = await self._credentials(_bearer(authorization))
        standing = await self.standings.of(credentials.user_id)
        if credentials.is_token and standing.revokes(credentials.issued_at):
            raise UnauthenticatedError("The token was revoked.", given=True)
        await self._remember(credentials.user_id, standing)
        if acting_for is not None:
            return await self._acting(credentials, acting_for)
        return Actor(
            user_id=credentials.user_id,
            tier=await self.book.tier_of(standing, claimed=credentials.claimed_tier),
            scopes=credentials.scopes,
        )

    async def tier(self, name: str) -> Tier:
        """The tier of that name; raises `NotFoundError`."""
        found = (await self.book.current()).find(name)
        if found is None:
            raise NotFoundError("There is no such tier.")
        return found

    async def tiers(self) -> Sequence[Tier]:
        """All tiers, lowest rank first."""
        return [row.tier for row in (await self.book.current()).rows.values()]

    async def _credentials(self, secret: str) -> Credentials:
        if secret.startswith(api_keys.PREFIX):
            return await self.keys.credentials(secret)
        return await self.tokens.credentials(secret)

    async def _acting(self, service: Credentials, acting_for: str) -> Actor:
        if "service" not in service.scopes:
            raise ForbiddenError("Emoji-Actor needs the scope service.")
        try:
            user_id = acted_for(acting_for)
        except UnreadableActorError as error:
            raise InvalidInputError("Emoji-Actor is not a percent-encoded user id.") from error
        standing = await self.standings.of(user_id)
        await self._remember(user_id, standing)
        log.info("identity.acting", service=service.user_id, user_id=user_id)
        # The service is the user now, with no more rights than the user: its scopes stay behind.
        return Actor(
            user_id=user_id,
            tier=await self.book.tier_of(standing, claimed=None),
            acting_service=service.user_id,
        )

    async def _remember(self, user_id: UserId, standing: Standing) -> None:
        if not standing.known:
            await self.standings.remember(user_id)


def _bearer(authorization: str) -> str:
    """The token or key in the header; raises `UnauthenticatedError` for another scheme."""
    scheme, _, secret = authorization.partition(" ")
    secret = secret.strip(" ")
    if scheme.lower() != _SCHEME or not secret:
        raise UnauthenticatedError("Send `Authorization: Bearer` and a token or key.", given=True)
    return secret
