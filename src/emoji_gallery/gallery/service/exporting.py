"""Writes a pack as it is in the gallery, in the form that imports read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emoji_gallery.assets.rules.keys import source_key
from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.ids import EmojiId
from emoji_gallery.gallery.rules.locales import LOCALES
from emoji_gallery.gallery.rules.manifest import MANIFEST_NAME, IndexForm
from emoji_gallery.gallery.rules.rows import EmojiRow
from emoji_gallery.gallery.service.intake import Progress
from emoji_gallery.gallery.service.languages import NameTable, load_names
from emoji_gallery.gallery.service.pack_writing import (
    PackSink,
    create_pack,
    index_text,
    manifest_text,
)
from emoji_gallery.gallery.store import emojis as store
from emoji_gallery.gallery.store import packs
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import NotFoundError, UnavailableError
from emoji_gallery.media.sniff import SNIFF_BYTES, sniff

_COLUMNS: Final = (
    "key",
    "file",
    "character",
    "name",
    "category",
    "subcategory",
    "tags",
    "base",
    "author",
    "tier",
    "active",
)


@dataclass(frozen=True)
class ExportPack:
    """Exports packs; a new import of what it writes changes nothing."""

    db: Database
    assets: Assets

    async def run(self, name: str, path: Path, *, progress: Progress) -> int:
        """Write a pack and tell how many emojis it has, inactive ones among them.

        Raises `NotFoundError` for an unknown pack, `PackExistsError` and `UnavailableError`.
        """
        async with self.db.reading() as connection:
            pack = await packs.find_pack(connection, name)
            if pack is None:
                raise NotFoundError(f"There is no pack {name}.")
            found = await store.rows_of_pack(connection, pack.id)
            categories = await packs.read_categories(connection)
        rows = sorted(found.values(), key=lambda row: (row.position, row.id))
        used = {row.category for row in rows}
        labels = [one.labels for one in categories if one.pack_id == pack.id]
        labels += [
            one.labels for one in categories if one.pack_id != pack.id and one.labels.name in used
        ]
        with create_pack(path) as sink:
            files = await self._write_art(sink, rows, progress)
            table = await asyncio.to_thread(load_names)
            manifest = manifest_text(pack.facts, labels, rows[0].tier.name if rows else "free")
            sink.write(MANIFEST_NAME, manifest.encode())
            sink.write(IndexForm().file, _index(rows, files, table).encode())
        return len(rows)

    async def _write_art(
        self, sink: PackSink, rows: Sequence[EmojiRow], progress: Progress
    ) -> Mapping[EmojiId, str]:
        """The files' names by the emojis' ids."""
        files: dict[EmojiId, str] = {}
        for done, row in enumerate(rows, start=1):
            data = await self.assets.objects.read(source_key(row.art.digest))
            if data is None:
                raise UnavailableError(f"The art of {row.key} is not in the storage.")
            kind = sniff(data[:SNIFF_BYTES])
            files[row.id] = f"art/{row.key}.{kind}"
            await asyncio.to_thread(sink.write, files[row.id], data)
            progress(done, len(rows))
        return files


def _index(rows: Sequence[EmojiRow], files: Mapping[EmojiId, str], table: NameTable) -> str:
    """The index, with a column of names for each language that has one of the pack's own."""
    keys = {row.id: row.key for row in rows}
    own = {row.id: _own_names(row, table) for row in rows}
    languages = [one for one in LOCALES if any(one in names for names in own.values())]
    cells = [
        {
            "key": row.key,
            "file": files[row.id],
            "character": row.character or "",
            "name": row.name,
            "category": row.category,
            "subcategory": row.subcategory,
            "tags": "|".join(row.tags),
            "base": "" if row.base_id is None else keys[row.base_id],
            "author": row.author or "",
            "tier": row.tier.name,
            "active": "yes" if row.is_active else "no",
            **{f"name_{one}": own[row.id].get(one, "") for one in languages},
        }
        for row in rows
    ]
    return index_text([*_COLUMNS, *(f"name_{one}" for one in languages)], cells)


def _own_names(row: EmojiRow, table: NameTable) -> Mapping[str, str]:
    """The names that do not follow from the character."""
    known = table.names_of(row.character, name=row.name).names
    return {locale: name for locale, name in row.names.items() if known.get(locale) != name}
