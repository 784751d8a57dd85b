"""API keys: made, listed, revoked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from emoji_gallery.accounts.rules.api_keys import Choose, digest_of, new_key, preview_of
from emoji_gallery.accounts.store import keys as store
from emoji_gallery.accounts.store import users as user_store
from emoji_gallery.accounts.store.keys import ApiKey
from emoji_gallery.contracts.identity import Scope
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import NotFoundError


@dataclass(frozen=True)
class ApiKeys:
    """Manages the keys of users. A revocation is known to every process within 25 seconds."""

    db: Database
    clock: Clock
    choose: Choose
    new_id: Callable[[], UUID]

    async def create(
        self, user_id: UserId, *, label: str, scopes: Sequence[Scope]
    ) -> tuple[str, ApiKey]:
        """A new key of a user. It is returned this once; only its digest is kept."""
        now = self.clock()
        secret = new_key(self.choose)
        key = ApiKey(
            id=self.new_id(),
            user_id=user_id,
            label=label,
            preview=preview_of(secret),
            scopes=sorted(set(scopes)),
            created_at=now,
            last_used_at=None,
            revoked_at=None,
        )
        async with self.db.transaction() as tx:
            await user_store.remember_user(tx, user_id, now=now)
            await store.add_key(tx, key, digest=digest_of(secret))
        return secret, key

    async def list(self, user_id: UserId | None) -> Sequence[ApiKey]:
        """The keys of a user or of all, oldest first."""
        async with self.db.reading() as connection:
            return await store.list_keys(connection, user_id)

    async def revoke(self, key_id: UUID) -> None:
        """Revoke a key for good; raises `NotFoundError` for one unknown or revoked already."""
        async with self.db.transaction() as tx:
            if not await store.revoke_key(tx, key_id, now=self.clock()):
                raise NotFoundError("There is no such key, or it is revoked already.")
