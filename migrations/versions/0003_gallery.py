"""Packs, categories, emojis, their versions, counters and search.

Revision ID: 0003
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA: Final = "gallery"

LANE: Final = ("is_active", "tier", "is_variant", "animated")
SHELF: Final = (
    "pack_id",
    "category",
    "subcategory",
    "tier",
    "is_variant",
    "animated",
    "is_active",
)
INDEXES: Final = {
    "emojis_listed": (*LANE, "position", "id"),
    "emojis_listed_in_category": ("category", *LANE, "position", "id"),
    "emojis_listed_in_pack": ("pack_id", *LANE, "position", "id"),
    "emojis_on_shelf": (*SHELF, "position", "id"),
    "emojis_newest": (*LANE, "id"),
    "emojis_newest_on_shelf": (*SHELF, "id"),
    "emojis_character": ("character_key",),
    "emojis_digest": ("digest",),
}

# One upsert a statement, shelves in key order, so that two writers wait and never deadlock.
COUNT: Final = """
CREATE FUNCTION gallery.count_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gallery.shelves AS shelf
        (pack_id, category, subcategory, tier, is_variant, animated, is_active, tier_rank, items)
    SELECT pack_id, category, subcategory, tier, is_variant, animated, is_active, tier_rank,
           sum(change)
    FROM ({rows}) changed
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    HAVING sum(change) <> 0
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (pack_id, category, subcategory, tier, is_variant, animated, is_active, tier_rank)
    DO UPDATE SET items = shelf.items + excluded.items;
    RETURN NULL;
END
$$
"""
ADDED: Final = "SELECT *, 1 AS change FROM added"
REMOVED: Final = "SELECT *, -1 AS change FROM removed"

TRIGGER: Final = """
CREATE TRIGGER count_{event} AFTER {event} ON gallery.emojis
REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION gallery.count_{event}()
"""
EVENTS: Final = {
    "insert": ("NEW TABLE AS added", ADDED),
    "update": (
        "OLD TABLE AS removed NEW TABLE AS added",
        f"{ADDED} UNION ALL {REMOVED}",
    ),
    "delete": ("OLD TABLE AS removed", REMOVED),
}


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    _create_catalogue()
    _create_packs()
    _create_emojis()
    _create_versions()
    _create_counters()
    _create_search()
    # Files that the collector has to keep: every art that an emoji has or had.
    op.execute("CREATE VIEW gallery.asset_references AS SELECT digest FROM gallery.emoji_versions")


def downgrade() -> None:
    op.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def _create_catalogue() -> None:
    catalogue = op.create_table(
        "catalogue",
        sa.Column("single", sa.Boolean, primary_key=True, server_default=sa.text("true")),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("single", name="catalogue_has_one_row"),
        schema=SCHEMA,
    )
    op.bulk_insert(catalogue, [{"version": 1}])


def _create_packs() -> None:
    op.create_table(
        "packs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("attribution", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "categories",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("pack_id", sa.Uuid, sa.ForeignKey("gallery.packs.id"), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        schema=SCHEMA,
    )


def _create_emojis() -> None:
    op.create_table(
        "emojis",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("pack_id", sa.Uuid, sa.ForeignKey("gallery.packs.id"), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("base_id", sa.Uuid, sa.ForeignKey("gallery.emojis.id")),
        sa.Column(
            "is_variant",
            sa.Boolean,
            sa.Computed("base_id IS NOT NULL", persisted=True),
            nullable=False,
        ),
        sa.Column("character", sa.Text),
        sa.Column("character_key", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("names", JSONB, nullable=False),
        sa.Column("tags", ARRAY(sa.Text), nullable=False),
        sa.Column("aliases", ARRAY(sa.Text), nullable=False),
        sa.Column("category", sa.Text, sa.ForeignKey("gallery.categories.name"), nullable=False),
        sa.Column("subcategory", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("tier_rank", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("animated", sa.Boolean, nullable=False),
        sa.Column("vector", sa.Boolean, nullable=False),
        sa.Column("author", sa.Text),
        sa.Column("curated", ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("pack_id", "key", name="emojis_key_in_pack"),
        schema=SCHEMA,
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "emojis", columns, schema=SCHEMA)
    op.create_index(
        "emojis_variants",
        "emojis",
        ("base_id", "position", "id"),
        schema=SCHEMA,
        postgresql_where=sa.text("base_id IS NOT NULL"),
    )


def _create_versions() -> None:
    op.create_table(
        "emoji_versions",
        sa.Column("emoji_id", sa.Uuid, sa.ForeignKey("gallery.emojis.id"), primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    op.create_index("emoji_versions_digest", "emoji_versions", ("digest",), schema=SCHEMA)


def _create_counters() -> None:
    op.create_table(
        "shelves",
        sa.Column("pack_id", sa.Uuid, primary_key=True),
        sa.Column("category", sa.Text, primary_key=True),
        sa.Column("subcategory", sa.Text, primary_key=True),
        sa.Column("tier", sa.Text, primary_key=True),
        sa.Column("is_variant", sa.Boolean, primary_key=True),
        sa.Column("animated", sa.Boolean, primary_key=True),
        sa.Column("is_active", sa.Boolean, primary_key=True),
        sa.Column("tier_rank", sa.Integer, primary_key=True),
        sa.Column("items", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    for event, (tables, rows) in EVENTS.items():
        op.execute(COUNT.format(event=event, rows=rows))
        op.execute(TRIGGER.format(event=event, tables=tables))


def _create_search() -> None:
    op.create_table(
        "words",
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.Column("near", ARRAY(sa.Text), nullable=False),
        sa.UniqueConstraint("locale", "word", name="words_once_in_locale"),
        schema=SCHEMA,
    )
    op.create_index("words_near", "words", ("near",), schema=SCHEMA, postgresql_using="gin")
    op.create_index(
        "words_similar",
        "words",
        ("word",),
        schema=SCHEMA,
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )
    op.create_table(
        "search_texts",
        sa.Column("emoji_id", sa.Uuid, sa.ForeignKey("gallery.emojis.id"), primary_key=True),
        sa.Column("locale", sa.Text, primary_key=True),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("name_words", ARRAY(sa.Integer), nullable=False),
        sa.Column("words", ARRAY(sa.Integer), nullable=False),
        schema=SCHEMA,
    )
    op.create_index(
        "search_texts_words", "search_texts", ("words",), schema=SCHEMA, postgresql_using="gin"
    )
