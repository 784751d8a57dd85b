"""Wire shapes of accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from emoji_gallery.accounts.rules.api_keys import API_KEY_PREFIX
from emoji_gallery.accounts.service.export import Exported
from emoji_gallery.accounts.service.users import SeenUser
from emoji_gallery.accounts.store.keys import ApiKey
from emoji_gallery.accounts.store.users import User
from emoji_gallery.kit.typeids import format_id


class TierChange(BaseModel):
    """Body of `PUT /users/{user_id}`."""

    model_config = ConfigDict(extra="forbid")

    tier: str | None = Field(
        max_length=64,
        description="Name of a tier; null gives the tier back to the claim of the user's token.",
    )


class UserBody(BaseModel):
    """A user."""

    user_id: str
    tier: str = Field(
        description="The tier that the user is on. To others than the user: without the claim "
        "of the user's token, which they do not have."
    )
    stored_tier: str | None = Field(description="What `PUT` stored; null if the claim decides.")
    tokens_revoked_before: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, seen: SeenUser) -> Self:
        """The wire shape of a user."""
        user = seen.user
        return cls(
            user_id=user.user_id,
            tier=seen.tier.name,
            stored_tier=user.tier,
            tokens_revoked_before=user.tokens_revoked_before,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


class ExportedAccount(BaseModel):
    """What accounts keeps of a user."""

    stored_tier: str | None
    tokens_revoked_before: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, user: User) -> Self:
        """The wire shape of a user's row."""
        return cls(
            stored_tier=user.tier,
            tokens_revoked_before=user.tokens_revoked_before,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


class ExportedKey(BaseModel):
    """An API key, without the key."""

    id: str
    label: str
    preview: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """The wire shape of a key."""
        return cls(
            id=format_id(API_KEY_PREFIX, key.id),
            label=key.label,
            preview=key.preview,
            scopes=list(key.scopes),
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
        )


class ExportBody(BaseModel):
    """All that is kept of a user."""

    user_id: str
    account: ExportedAccount
    api_keys: list[ExportedKey]
    data: dict[str, JsonValue] = Field(description="What each feature keeps, by its name.")

    @classmethod
    def of(cls, exported: Exported) -> Self:
        """The wire shape of an export."""
        # Validated, not typed: what features export is JSON by contract.
        return cls.model_validate(
            {
                "user_id": exported.user.user_id,
                "account": ExportedAccount.of(exported.user),
                "api_keys": [ExportedKey.of(key) for key in exported.keys],
                "data": exported.parts,
            }
        )
