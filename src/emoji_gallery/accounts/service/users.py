"""Users: what is stored of them, and who may see and change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emoji_gallery.accounts.errors import UnknownTierError
from emoji_gallery.accounts.service.standings import Standings
from emoji_gallery.accounts.service.tiers import TierBook
from emoji_gallery.accounts.store import users as store
from emoji_gallery.accounts.store.users import User
from emoji_gallery.contracts.identity import Actor, Tier
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import NotFoundError


@dataclass(frozen=True)
class SeenUser:
    """A user and the tier that the user is on, as far as the caller can know it."""

    user: User
    tier: Tier


@dataclass(frozen=True)
class Users:
    """Reads and changes what is stored of users."""

    db: Database
    book: TierBook
    standings: Standings
    clock: Clock

    async def read(self, actor: Actor, user_id: UserId) -> SeenUser:
        """A user, for the user, services and admins; raises `NotFoundError` for all others.

        Others do not see the user's token, hence not what it claims: to them the tier is the
        stored one or the default.
        """
        if not actor.may_read_user(user_id):
            raise NotFoundError
        user = await self.find(user_id)
        tiers = await self.book.current()
        own = actor.user_id == user_id and user.tier is None
        tier = actor.tier if own else tiers.resolve(stored=user.tier, claimed=None)
        return SeenUser(user, tier)

    async def put_on_tier(self, user_id: UserId, tier: str | None) -> SeenUser:
        """Store a user's tier; None gives it back to the claim. Raises `UnknownTierError`."""
        # Not from the book: a tier that was made a moment ago exists.
        self.book.forget()
        tiers = await self.book.current()
        if tier is not None and tiers.find(tier) is None:
            raise UnknownTierError(tiers=[*tiers.rows])
        now = self.clock()
        async with self.db.transaction() as tx:
            await store.remember_user(tx, user_id, now=now)
            user = await store.store_tier(tx, user_id, tier, now=now)
        self.standings.forget(user_id)
        return SeenUser(user, tiers.resolve(stored=tier, claimed=None))

    async def revoke_tokens(self, user_id: UserId) -> None:
        """Revoke every token that was issued to a user before now; API keys stay."""
        now = self.clock()
        async with self.db.transaction() as tx:
            await store.remember_user(tx, user_id, now=now)
            await store.revoke_tokens(tx, user_id, before=now, now=now)
        self.standings.forget(user_id)

    async def find(self, user_id: UserId) -> User:
        """A user, for the operator; raises `NotFoundError`."""
        async with self.db.reading() as connection:
            user = await store.find_user(connection, user_id)
        if user is None:
            raise NotFoundError("Nothing is stored of this user.")
        return user

    async def page(self, *, after: UserId | None, limit: int) -> Sequence[User]:
        """Users in the order of their ids."""
        async with self.db.reading() as connection:
            return await store.list_users(connection, after=after, limit=limit)
