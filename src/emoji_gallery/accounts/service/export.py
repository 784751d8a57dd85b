"""The export of all that is kept of a user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emoji_gallery.accounts.store import keys as key_store
from emoji_gallery.accounts.store import users as user_store
from emoji_gallery.accounts.store.keys import ApiKey
from emoji_gallery.accounts.store.users import User
from emoji_gallery.contracts.identity import Actor, UserData
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import NotFoundError
from emoji_gallery.kit.jsontypes import JSON


@dataclass(frozen=True)
class Exported:
    """What accounts keeps of a user, and by name what the features keep."""

    user: User
    keys: Sequence[ApiKey]
    parts: Mapping[str, JSON]


@dataclass(frozen=True)
class ExportUser:
    """Gathers what is kept of a user."""

    db: Database
    user_data: Sequence[UserData]

    async def export(self, actor: Actor, user_id: UserId) -> Exported:
        """All of it, for the user, services and admins; raises `NotFoundError` for all others.

        A feature that fails makes the export fail: half of it would pass for all of it.
        """
        if not actor.may_read_user(user_id):
            raise NotFoundError
        async with self.db.reading() as connection:
            user = await user_store.find_user(connection, user_id)
            keys = await key_store.list_keys(connection, user_id)
        if user is None:
            raise NotFoundError
        parts = {part.name: await part.export(user_id) for part in self.user_data}
        return Exported(user, keys, parts)
