"""What the gallery's endpoints take and answer, as the API's description states it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from emoji_gallery.gallery.rules.curation import Decision
from emoji_gallery.gallery.rules.positions import MAX_POSITION
from emoji_gallery.gallery.rules.texts import MAX_NAME_CHARACTERS, shown_tags, shown_text


def _name(text: str) -> str:
    return shown_text(text, longest=MAX_NAME_CHARACTERS)


def _tags(tags: list[str]) -> list[str]:
    return shown_tags(tags)


class RenditionBody(BaseModel):
    """Where a rendition is, and what comes from there; sizes in pixels."""

    model_config = ConfigDict(extra="forbid")

    url: str
    type: str
    width: int
    height: int


class EmojiBody(BaseModel):
    """An emoji of the gallery. `is_active` is told to curators."""

    model_config = ConfigDict(extra="forbid")

    id: str
    base_id: str | None
    name: str
    character: str | None
    category: str
    subcategory: str | None
    tags: list[str]
    pack: str
    tier: str
    position: int
    locked: bool
    animated: bool
    width: int
    height: int
    duration_ms: int | None
    version: str
    attribution: str
    renditions: dict[str, RenditionBody]
    is_active: bool | None = None


class EmojiPageBody(BaseModel):
    """One page of the gallery; `total` is null for a search."""

    model_config = ConfigDict(extra="forbid")

    items: list[EmojiBody]
    total: int | None
    next_cursor: str | None


class SubcategoryBody(BaseModel):
    """A part of a category, and how many emojis the caller sees in it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    count: int


class CategoryBody(BaseModel):
    """A category, and how many emojis the caller sees in it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    label: str
    count: int
    subcategories: list[SubcategoryBody]


class CategoryPageBody(BaseModel):
    """One page of the categories in which the caller sees anything."""

    model_config = ConfigDict(extra="forbid")

    items: list[CategoryBody]
    total: int
    next_cursor: str | None


class PackBody(BaseModel):
    """A pack, its licence, and how many of its emojis the caller sees."""

    model_config = ConfigDict(extra="forbid")

    name: str
    label: str
    count: int
    licence: str
    attribution: str


class PackPageBody(BaseModel):
    """One page of the packs of which the caller sees anything."""

    model_config = ConfigDict(extra="forbid")

    items: list[PackBody]
    total: int
    next_cursor: str | None


class EmojiChange(BaseModel):
    """What a curator changes; at least one field, and none of them null."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, AfterValidator(_name)] = ""
    tags: Annotated[list[str], AfterValidator(_tags)] = []
    tier: str = Field(default="", min_length=1, max_length=64)
    position: int = Field(default=0, ge=0, le=MAX_POSITION)
    is_active: bool = True

    @model_validator(mode="after")
    def _has_a_field(self) -> EmojiChange:
        if not self.model_fields_set:
            raise ValueError("has no field to change")
        return self

    @property
    def decision(self) -> Decision:
        """The fields that were sent."""
        sent = self.model_dump(exclude_unset=True)
        if "tags" in sent:
            sent["tags"] = tuple(sent["tags"])
        return Decision(**sent)
