"""Tables of the schema `assets`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)

from emoji_gallery.kit.outbox.tables import declare_tasks

SCHEMA: Final = "assets"

metadata = MetaData(schema=SCHEMA)

# One source each. `changed_at` is when an answer about it may have changed; the collector sets
# `unreferenced_since` when it first finds nobody who needs it, and `collecting_since` before it
# removes the first file: from then on the asset is as good as gone.
assets = Table(
    "assets",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("format", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("duration_ms", Integer),
    Column("bytes", BigInteger, nullable=False),
    Column("is_public", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column(
        "changed_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
    ),
    Column("unreferenced_since", DateTime(timezone=True)),
    Column("collecting_since", DateTime(timezone=True)),
    CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="assets_digest_is_sha256"),
    CheckConstraint("width > 0 AND height > 0 AND frames > 0", name="assets_measured"),
    Index("assets_changed", "changed_at"),
    Index(
        "assets_unreferenced",
        "unreferenced_since",
        postgresql_where=text("unreferenced_since IS NOT NULL"),
    ),
)

# Who makes a rendition just now, and what came of it: `bytes` when it is stored, `failure` when
# the source cannot be drawn. Nobody else begins before `leased_until`.
renditions = Table(
    "renditions",
    metadata,
    Column("digest", Text, ForeignKey(assets.c.digest, ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("bytes", BigInteger),
    Column("failure", Text),
    Column("lease_token", Uuid, nullable=False),
    Column("leased_until", DateTime(timezone=True), nullable=False),
    CheckConstraint("bytes IS NULL OR failure IS NULL", name="renditions_made_or_failed"),
)

# Decides between those who bring a digest and those who take it away; also for digests that have
# no asset row yet, or no longer.
guards = Table(
    "guards",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("holds", Integer, nullable=False, server_default=text("0")),
    Column("held_until", DateTime(timezone=True)),
    Column("collector", Uuid),
    Column("collecting_until", DateTime(timezone=True)),
    CheckConstraint("holds >= 0", name="guards_holds_not_negative"),
    CheckConstraint(
        "(collector IS NULL) = (collecting_until IS NULL)", name="guards_collected_by_someone"
    ),
)

task_tables = declare_tasks(metadata, [])
