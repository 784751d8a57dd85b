"""What a caller shows: a token of the issuer, or an API key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from emoji_gallery.accounts.ports import TokenKeys
from emoji_gallery.accounts.rules.api_keys import digest_of, is_well_formed
from emoji_gallery.accounts.rules.claims import Claims, TokenRefusedError, read_claims
from emoji_gallery.accounts.rules.tokens import read_header, verified_payload
from emoji_gallery.accounts.service.recent import Recent
from emoji_gallery.accounts.service.tiers import BELIEVED_FOR
from emoji_gallery.accounts.store import keys as store
from emoji_gallery.accounts.store.keys import KeyHolder
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import UnauthenticatedError

# How many tokens and keys one process knows at a time. Keys that nobody has are counted apart,
# so that a flood of them pushes out no key that somebody has.
_TOKENS_KEPT: Final = 20_000
_HOLDERS_KEPT: Final = 5_000
_UNKNOWN_KEPT: Final = 5_000

# `last_used_at` is true to this span: a busy key costs one write an hour, not one a request.
_USE_NOTED_EVERY: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Credentials:
    """Whom a token or key stands for, before anything stored about the user is looked at."""

    user_id: UserId
    claimed_tier: str | None
    scopes: frozenset[str]
    is_token: bool
    issued_at: float | None = None


class TokenVerifier:
    """Verifies tokens, each once in `BELIEVED_FOR`; its expiry is looked at every time."""

    def __init__(self, *, keys: TokenKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._recent: Recent[bytes, Claims] = Recent(
            size=_TOKENS_KEPT, ttl=BELIEVED_FOR, clock=clock
        )

    async def credentials(self, token: str) -> Credentials:
        """What a token says; raises `UnauthenticatedError` for one that does not hold."""
        # The digest stands for the token: it is short whatever a stranger sends.
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._recent.get(digest)
        try:
            if claims is None:
                claims = await self._verify(token)
                self._recent.put(digest, claims)
            claims.require_unexpired(self._clock())
        except TokenRefusedError as refusal:
            raise UnauthenticatedError(str(refusal), given=True) from refusal
        return Credentials(
            user_id=claims.subject,
            claimed_tier=claims.tier,
            scopes=claims.scopes,
            is_token=True,
            issued_at=claims.issued_at,
        )

    async def _verify(self, token: str) -> Claims:
        header = read_header(token)
        key = await self._keys.key_for(header)
        if key is None:
            raise TokenRefusedError("The token is signed with a key that is not known here.")
        payload = verified_payload(token, key)
        return read_claims(payload, self._keys.policy, now=self._clock())


class KeyRing:
    """Looks API keys up, each once in `BELIEVED_FOR`."""

    def __init__(self, *, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._holders: Recent[bytes, KeyHolder] = Recent(
            size=_HOLDERS_KEPT, ttl=BELIEVED_FOR, clock=clock
        )
        self._unknown: Recent[bytes, bool] = Recent(
            size=_UNKNOWN_KEPT, ttl=BELIEVED_FOR, clock=clock
        )

    async def credentials(self, key: str) -> Credentials:
        """Whom a key stands for; raises `UnauthenticatedError` for one nobody has."""
        if not is_well_formed(key):
            raise UnauthenticatedError("This is not an API key.", given=True)
        digest = digest_of(key)
        holder = self._holders.get(digest) or await self._look_up(digest)
        return Credentials(
            user_id=holder.user_id, claimed_tier=None, scopes=holder.scopes, is_token=False
        )

    def forget_user(self, user_id: UserId) -> None:
        """Look the user's keys up again next time."""
        self._holders.forget_where(lambda holder: holder.user_id == user_id)

    async def _look_up(self, digest: bytes) -> KeyHolder:
        if self._unknown.get(digest):
            raise _no_such_key()
        return await self._holders.get_or_load(digest, partial(self._read, digest))

    async def _read(self, digest: bytes) -> KeyHolder:
        now = self._clock()
        async with self._db.reading() as connection:
            holder = await store.find_holder(connection, digest)
        if holder is None:
            self._unknown.put(digest, True, asked_at=now)  # noqa: FBT003 (the value, no switch)
            raise _no_such_key()
        await self._note_use(holder, now)
        return holder

    async def _note_use(self, holder: KeyHolder, now: datetime) -> None:
        noted = holder.last_used_at
        if noted is not None and now - noted < _USE_NOTED_EVERY:
            return
        async with self._db.transaction() as tx:
            await store.touch_key(tx, holder.key_id, now=now, unless_since=now - _USE_NOTED_EVERY)


def _no_such_key() -> UnauthenticatedError:
    return UnauthenticatedError("The API key is unknown or revoked.", given=True)
