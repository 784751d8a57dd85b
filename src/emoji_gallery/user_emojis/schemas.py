"""Wire shapes of user emojis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from emoji_gallery.contracts.ids import USER_EMOJI_PREFIX
from emoji_gallery.kit.typeids import format_id
from emoji_gallery.user_emojis.rules.names import MAX_NAME_CHARACTERS
from emoji_gallery.user_emojis.rules.tags import MAX_TAGS
from emoji_gallery.user_emojis.service.browse import Standing
from emoji_gallery.user_emojis.service.view import EmojiView


class UserRenditionBody(BaseModel):
    """Where to fetch a picture; sizes in pixels."""

    url: str
    type: str
    width: int
    height: int


class UserEmojiBody(BaseModel):
    """A user's emoji."""

    id: str = Field(description="`uem_…`")
    owner_id: str
    name: str
    tags: list[str]
    status: Literal["processing", "ready", "rejected"]
    reason: str | None = Field(description="Why it was rejected; null for all others.")
    created_at: datetime
    bytes: int = Field(description="Size of the uploaded file.")
    original_name: str = Field(description="Name of the uploaded file, without its path.")
    animated: bool
    width: int = Field(description="Of the picture as it is to be looked at, in pixels.")
    height: int
    duration_ms: int | None = Field(description="One pass of an animation; null for a still.")
    version: str = Field(description="SHA-256 of the uploaded file.")
    renditions: dict[str, UserRenditionBody] = Field(
        description="By name; empty until it is ready."
    )

    @classmethod
    def of(cls, view: EmojiView) -> Self:
        """The wire shape of an emoji."""
        emoji, probe = view.emoji, view.emoji.probe
        return cls(
            id=format_id(USER_EMOJI_PREFIX, emoji.id),
            owner_id=emoji.owner_id,
            name=emoji.name,
            tags=list(emoji.tags),
            status=emoji.status.value,
            reason=emoji.reason,
            created_at=emoji.created_at,
            bytes=emoji.bytes,
            original_name=emoji.original_name,
            animated=probe.animated,
            width=probe.width,
            height=probe.height,
            duration_ms=probe.duration_ms,
            version=emoji.digest,
            renditions={
                name: UserRenditionBody(
                    url=link.url, type=link.type, width=link.width, height=link.height
                )
                for name, link in view.renditions.items()
            },
        )


class UserEmojiListBody(BaseModel):
    """A page of a user's emojis, newest first."""

    items: list[UserEmojiBody]
    total: int = Field(description="How many there are on all pages together.")
    next_cursor: str | None

    @classmethod
    def of(cls, views: Sequence[EmojiView], *, total: int, next_cursor: str | None) -> Self:
        """The wire shape of a page."""
        return cls(items=[UserEmojiBody.of(v) for v in views], total=total, next_cursor=next_cursor)


class UserEmojiChange(BaseModel):
    """What is to change of an emoji; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    # Factories keep the defaults, which mean nothing, out of the documentation.
    name: str = Field(default_factory=str, description=f"1 to {MAX_NAME_CHARACTERS} characters.")
    tags: list[str] = Field(default_factory=list, description=f"At most {MAX_TAGS}.")

    @property
    def new_name(self) -> str | None:
        """The name that was sent."""
        return self.name if "name" in self.model_fields_set else None

    @property
    def new_tags(self) -> list[str] | None:
        """The tags that were sent."""
        return self.tags if "tags" in self.model_fields_set else None


class UploadsBody(BaseModel):
    """How many emojis the caller may keep and keeps; null is without limit."""

    limit: int | None
    used: int
    remaining: int | None


class RequestLimitsBody(BaseModel):
    """Requests a minute."""

    reads_per_minute: int
    uploads_per_minute: int


class LimitsBody(BaseModel):
    """What one upload may be, and how often the caller may ask."""

    bytes: int = Field(description="Of a file.")
    side: int = Field(description="Longest side of a picture, in pixels.")
    pixels: int = Field(description="Of one frame.")
    total_pixels: int = Field(description="Of all frames together.")
    frames: int
    requests: RequestLimitsBody


class MeBody(BaseModel):
    """The caller."""

    user_id: str
    tier: str
    uploads: UploadsBody
    limits: LimitsBody

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """The wire shape of what a caller may do."""
        tier, used = standing.owner.tier, standing.used
        limit = tier.upload_limit
        remaining = None if limit is None else max(0, limit - used)
        return cls(
            user_id=standing.owner.id,
            tier=tier.name,
            uploads=UploadsBody(limit=limit, used=used, remaining=remaining),
            limits=LimitsBody(
                bytes=tier.max_file_bytes,
                side=tier.max_side,
                pixels=tier.max_frame_pixels,
                total_pixels=tier.max_total_pixels,
                frames=tier.max_frames,
                requests=RequestLimitsBody(
                    reads_per_minute=tier.reads_per_minute,
                    uploads_per_minute=tier.uploads_per_minute,
                ),
            ),
        )
