"""Whole rows of `emojis`, as imports and curators write them."""

# Statements are put together from constants of these modules only; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Row, text

from emoji_gallery.contracts.ids import Digest, EmojiId, PackId
from emoji_gallery.gallery.rules.rows import Art, EmojiRow, TierRank
from emoji_gallery.gallery.rules.words import character_key
from emoji_gallery.gallery.store.art import art_of
from emoji_gallery.kit.database import ReadConnection, WriteConnection

_BATCH: Final = 1_000

_COLUMNS: Final = """
    id, key, base_id, character, name, names, tags, aliases, category, subcategory, tier,
    tier_rank, position, is_active, digest, width, height, duration_ms, animated, vector,
    author, curated
"""
_OF_PACK: Final = text(f"SELECT {_COLUMNS} FROM gallery.emojis WHERE pack_id = :pack_id")
_LOCKED: Final = text(f"""
    SELECT {_COLUMNS}, pack_id FROM gallery.emojis WHERE id = :id FOR UPDATE
""")
_LAST_POSITION: Final = text("SELECT coalesce(max(position), 0) FROM gallery.emojis")
_ART: Final = text("""
    SELECT DISTINCT ON (digest) digest, width, height, duration_ms, animated, vector
    FROM gallery.emojis WHERE digest = ANY(:digests)
""")
_SHOWN: Final = text("""
    SELECT DISTINCT digest FROM gallery.emojis
    WHERE digest = ANY(:digests) AND tier_rank <= :rank
""")
_WRITE: Final = text(f"""
    INSERT INTO gallery.emojis ({_COLUMNS}, character_key, pack_id, created_at, updated_at)
    SELECT {_COLUMNS}, character_key, :pack_id, :now, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        id uuid, key text, base_id uuid, character text, name text, names jsonb, tags text[],
        aliases text[], category text, subcategory text, tier text, tier_rank integer,
        position bigint, is_active boolean, digest text, width integer, height integer,
        duration_ms integer, animated boolean, vector boolean, author text, curated text[],
        character_key text)
    ON CONFLICT (id) DO UPDATE SET
        base_id = excluded.base_id, character = excluded.character, name = excluded.name,
        names = excluded.names, tags = excluded.tags, aliases = excluded.aliases,
        category = excluded.category, subcategory = excluded.subcategory, tier = excluded.tier,
        tier_rank = excluded.tier_rank, position = excluded.position,
        is_active = excluded.is_active, digest = excluded.digest, width = excluded.width,
        height = excluded.height, duration_ms = excluded.duration_ms,
        animated = excluded.animated, vector = excluded.vector, author = excluded.author,
        curated = excluded.curated, character_key = excluded.character_key,
        updated_at = excluded.updated_at
""")
_WRITE_VERSIONS: Final = text("""
    INSERT INTO gallery.emoji_versions (emoji_id, digest, created_at)
    SELECT id, digest, :now FROM gallery.emojis WHERE id = ANY(:ids)
    ON CONFLICT DO NOTHING
""")


async def rows_of_pack(connection: ReadConnection, pack_id: PackId) -> Mapping[str, EmojiRow]:
    """Every emoji of a pack by its key, active or not."""
    rows = await connection.execute(_OF_PACK, {"pack_id": pack_id})
    return {row.key: _read(row) for row in rows}


async def lock_emoji(tx: WriteConnection, emoji_id: EmojiId) -> tuple[PackId, EmojiRow] | None:
    """An emoji and its pack; nobody else changes it until the transaction ends."""
    row = (await tx.execute(_LOCKED, {"id": emoji_id})).one_or_none()
    return None if row is None else (PackId(row.pack_id), _read(row))


async def last_position(connection: ReadConnection) -> int:
    """The largest position of all packs; 0 without any."""
    return int((await connection.execute(_LAST_POSITION)).scalar_one())


async def known_art(connection: ReadConnection, digests: Sequence[Digest]) -> Mapping[Digest, Art]:
    """What is known of pictures that an emoji shows now."""
    rows = await connection.execute(_ART, {"digests": list(digests)})
    return {Digest(row.digest): art_of(row) for row in rows}


async def shown_up_to(
    connection: ReadConnection, digests: Sequence[Digest], *, rank: int
) -> set[Digest]:
    """Those of the pictures that an emoji of this rank or below shows, be it active or not."""
    rows = await connection.execute(_SHOWN, {"digests": list(digests), "rank": rank})
    return {Digest(row.digest) for row in rows}


async def write_emojis(
    tx: WriteConnection, pack_id: PackId, rows: Sequence[EmojiRow], *, now: datetime
) -> None:
    """Add emojis of a pack or change them, bases before the variants that name them."""
    ordered = sorted(rows, key=lambda row: row.base_id is not None)
    for start in range(0, len(ordered), _BATCH):
        batch = ordered[start : start + _BATCH]
        encoded = orjson.dumps([_encoded(row) for row in batch], default=str).decode()
        await tx.execute(_WRITE, {"rows": encoded, "pack_id": pack_id, "now": now})
        await tx.execute(_WRITE_VERSIONS, {"ids": [row.id for row in batch], "now": now})


def _encoded(row: EmojiRow) -> dict[str, object]:
    return {
        "id": row.id,
        "key": row.key,
        "base_id": row.base_id,
        "character": row.character,
        "character_key": None if row.character is None else character_key(row.character),
        "name": row.name,
        "names": row.names,
        "tags": row.tags,
        "aliases": row.aliases,
        "category": row.category,
        "subcategory": row.subcategory,
        "tier": row.tier.name,
        "tier_rank": row.tier.rank,
        "position": row.position,
        "is_active": row.is_active,
        "digest": row.art.digest,
        "width": row.art.width,
        "height": row.art.height,
        "duration_ms": row.art.duration_ms,
        "animated": row.art.animated,
        "vector": row.art.vector,
        "author": row.author,
        "curated": sorted(row.curated),
    }


def _read(row: Row[Any]) -> EmojiRow:
    return EmojiRow(
        id=EmojiId(row.id),
        key=row.key,
        base_id=None if row.base_id is None else EmojiId(row.base_id),
        character=row.character,
        name=row.name,
        names=row.names,
        tags=tuple(row.tags),
        aliases=tuple(row.aliases),
        category=row.category,
        subcategory=row.subcategory,
        tier=TierRank(row.tier, row.tier_rank),
        position=row.position,
        is_active=row.is_active,
        art=art_of(row),
        author=row.author,
        curated=frozenset(row.curated),
    )
