"""What `pack.toml` says: who made a pack, its categories, tiers, and where its entries are listed.

docs/packs.md describes the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from emoji_gallery.gallery.rules.locales import Locale
from emoji_gallery.gallery.rules.texts import MAX_NAME_CHARACTERS, shown_text
from emoji_gallery.kit.jsontypes import JSON

MANIFEST_NAME: Final = "pack.toml"


class ManifestError(ValueError):
    """The manifest cannot be used; the sentence says where and why."""


def _shown(text: str) -> str:
    return shown_text(text, longest=MAX_NAME_CHARACTERS)


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$", max_length=64)]
Label = Annotated[str, AfterValidator(_shown)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackFacts(_Part):
    """`[pack]`: the pack as a whole."""

    name: Slug
    label: Label
    licence: Label
    attribution: Label


class CategoryLabels(_Part):
    """`[[categories]]`: one category, in the order in which the gallery lists them."""

    name: Slug
    label: Label
    labels: dict[Locale, Label] = Field(default_factory=dict)


class TierRule(_Part):
    """`[[tiers.rules]]`: entries that have all that is named here belong to the tier."""

    tier: Slug
    category: Slug | None = None
    subcategory: Slug | None = None
    tag: str | None = None

    def applies(self, category: str, subcategory: str, tags: tuple[str, ...]) -> bool:
        """Whether an entry has all that the rule names."""
        return (
            self.category in {None, category}
            and self.subcategory in {None, subcategory}
            and (self.tag is None or self.tag in tags)
        )


class TierRules(_Part):
    """`[tiers]`: the first rule that applies decides; an entry's own tier goes before all."""

    default: Slug = "free"
    rules: tuple[TierRule, ...] = ()

    def tier_of(self, category: str, subcategory: str, tags: tuple[str, ...]) -> str:
        """The tier of an entry that names none itself."""
        for rule in self.rules:
            if rule.applies(category, subcategory, tags):
                return rule.tier
        return self.default


class IndexForm(_Part):
    """`[index]`: the table of entries; `columns` says which of ours each differently named is."""

    file: str = "index.csv"
    art: str = ""
    columns: dict[str, str] = Field(default_factory=dict)


class PackManifest(_Part):
    """A whole `pack.toml`. `emojis` lists entries in place of an index."""

    pack: PackFacts
    categories: tuple[CategoryLabels, ...] = ()
    tiers: TierRules = TierRules()
    index: IndexForm | None = None
    emojis: tuple[dict[str, object], ...] = ()


def read_manifest(document: Mapping[str, JSON]) -> PackManifest:
    """The manifest of a parsed `pack.toml`; raises `ManifestError`."""
    try:
        manifest = PackManifest.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestError(f"{place}: {first['msg']}") from None
    if manifest.index is not None and manifest.emojis:
        raise ManifestError("[index] and [[emojis]] exclude each other")
    return manifest
