"""Tables of the schema `gallery`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA: Final = "gallery"

metadata = MetaData(schema=SCHEMA)

# Its one row is the catalogue's state. Whoever changes the catalogue locks it first, so that
# changes come one after another and two of them never wait for each other's rows crosswise.
catalogue = Table(
    "catalogue",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("single", name="catalogue_has_one_row"),
)

packs = Table(
    "packs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("attribution", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

# A category belongs to the pack that named it first; others may put emojis into it.
categories = Table(
    "categories",
    metadata,
    Column("name", Text, primary_key=True),
    Column("pack_id", Uuid, ForeignKey("gallery.packs.id"), nullable=False),
    Column("label", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("position", Integer, nullable=False),
)

emojis = Table(
    "emojis",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("pack_id", Uuid, ForeignKey("gallery.packs.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("base_id", Uuid, ForeignKey("gallery.emojis.id")),
    Column("is_variant", Boolean, Computed("base_id IS NOT NULL", persisted=True), nullable=False),
    Column("character", Text),
    Column("character_key", Text),
    Column("name", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("aliases", ARRAY(Text), nullable=False),
    Column("category", Text, ForeignKey("gallery.categories.name"), nullable=False),
    # Empty rather than null, so that a shelf is one row that equality finds.
    Column("subcategory", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("tier_rank", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("digest", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("duration_ms", Integer),
    Column("animated", Boolean, nullable=False),
    Column("vector", Boolean, nullable=False),
    Column("author", Text),
    # The fields that a curator decided about; a re-import leaves them.
    Column("curated", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("pack_id", "key", name="emojis_key_in_pack"),
    # Each index below is the order of a list, behind the columns that the list holds fixed:
    # any page of it is one scan of a range, the last like the first.
    Index("emojis_listed", "is_active", "tier", "is_variant", "animated", "position", "id"),
    Index(
        "emojis_listed_in_category",
        "category",
        "is_active",
        "tier",
        "is_variant",
        "animated",
        "position",
        "id",
    ),
    Index(
        "emojis_listed_in_pack",
        "pack_id",
        "is_active",
        "tier",
        "is_variant",
        "animated",
        "position",
        "id",
    ),
    Index(
        "emojis_on_shelf",
        "pack_id",
        "category",
        "subcategory",
        "tier",
        "is_variant",
        "animated",
        "is_active",
        "position",
        "id",
    ),
    Index("emojis_newest", "is_active", "tier", "is_variant", "animated", "id"),
    Index(
        "emojis_newest_on_shelf",
        "pack_id",
        "category",
        "subcategory",
        "tier",
        "is_variant",
        "animated",
        "is_active",
        "id",
    ),
    Index(
        "emojis_variants", "base_id", "position", "id", postgresql_where=text("base_id IS NOT NULL")
    ),
    Index("emojis_character", "character_key"),
    Index("emojis_digest", "digest"),
)

# Every art that an emoji has had; movies made with an old one keep it.
emoji_versions = Table(
    "emoji_versions",
    metadata,
    Column("emoji_id", Uuid, ForeignKey("gallery.emojis.id"), primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("emoji_versions_digest", "digest"),
)

# How many emojis are alike in all that a list can be filtered by; triggers keep it exact.
shelves = Table(
    "shelves",
    metadata,
    Column("pack_id", Uuid, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("subcategory", Text, primary_key=True),
    Column("tier", Text, primary_key=True),
    Column("is_variant", Boolean, primary_key=True),
    Column("animated", Boolean, primary_key=True),
    Column("is_active", Boolean, primary_key=True),
    Column("tier_rank", Integer, primary_key=True),
    Column("items", BigInteger, nullable=False),
)

# Each language's dictionary. `near` holds what is left of a word without any one letter.
words = Table(
    "words",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("locale", Text, nullable=False),
    Column("word", Text, nullable=False),
    Column("near", ARRAY(Text), nullable=False),
    UniqueConstraint("locale", "word", name="words_once_in_locale"),
    Index("words_near", "near", postgresql_using="gin"),
    Index(
        "words_similar",
        "word",
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    ),
)

# What an emoji is found by in one language: the words of its name, and all its words.
search_texts = Table(
    "search_texts",
    metadata,
    Column("emoji_id", Uuid, ForeignKey("gallery.emojis.id"), primary_key=True),
    Column("locale", Text, primary_key=True),
    Column("name_key", Text, nullable=False),
    Column("name_words", ARRAY(Integer), nullable=False),
    Column("words", ARRAY(Integer), nullable=False),
    Index("search_texts_words", "words", postgresql_using="gin"),
)
