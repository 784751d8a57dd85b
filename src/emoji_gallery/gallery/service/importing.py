"""Brings a pack into the gallery, again and again: what did not change is not written."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emoji_gallery.assets.rules.stored import StoredAsset
from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.identity import Identities
from emoji_gallery.contracts.ids import Digest, EmojiId, PackId
from emoji_gallery.gallery.rules.changes import (
    Changes,
    MeasuredEntry,
    PackState,
    compare,
    is_found_otherwise,
)
from emoji_gallery.gallery.rules.entries import Fault, PackEntry, PackReading
from emoji_gallery.gallery.rules.manifest import CategoryLabels
from emoji_gallery.gallery.rules.rows import Art, TierRank
from emoji_gallery.gallery.service.intake import Progress, TakeArt
from emoji_gallery.gallery.service.languages import load_names
from emoji_gallery.gallery.service.pack_files import PackFiles
from emoji_gallery.gallery.service.pack_reading import read_pack
from emoji_gallery.gallery.service.publishing import in_batches, publish_free
from emoji_gallery.gallery.store import catalogue, packs, words
from emoji_gallery.gallery.store import emojis as store
from emoji_gallery.gallery.store.packs import CategoryRow, PackRow
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database, WriteConnection
from emoji_gallery.kit.errors import NotFoundError, UnavailableError
from emoji_gallery.kit.typeids import new_uuid

# So many new rows make another table of what PostgreSQL knew.
_MANY: Final = 500


@dataclass(frozen=True)
class ImportReport:
    """What an import did. `kept_inactive` are in the pack, but stay switched off."""

    pack: str
    added: int
    changed: int
    new_art: int
    vanished: int
    unchanged: int
    kept_inactive: int
    faults: Sequence[Fault]


@dataclass(frozen=True)
class _Incoming:
    """A pack that has been read and measured, ready to be written."""

    reading: PackReading
    entries: Sequence[MeasuredEntry]
    untouched: Collection[str]
    free_rank: int
    held: Mapping[Digest, StoredAsset]


def _unseen(done: int, total: int) -> None:
    """Show nobody how far an import is."""


@dataclass(frozen=True)
class ImportPack:
    """Imports packs; two at a time wait for each other where they write."""

    db: Database
    assets: Assets
    intake: TakeArt
    identities: Identities
    clock: Clock

    async def run(
        self, files: PackFiles, *, reset: bool = False, progress: Progress = _unseen
    ) -> ImportReport:
        """Import a pack; with `reset` what curators changed goes back to what the pack says.

        Raises `PackUnreadableError` when nothing of it can be read, `StorageFullError` and
        `UnavailableError`; then the gallery is as it was.
        """
        reading = await asyncio.to_thread(read_pack, files)
        tiers = {tier.name: tier.rank for tier in await self.identities.tiers()}
        entries = [one for one in reading.entries if one.tier in tiers]
        unknown = [
            Fault(one.file, f"tier: there is no {one.tier}")
            for one in reading.entries
            if one.tier not in tiers
        ]
        taken = await self.intake.take(files, entries, progress)
        measured = await asyncio.to_thread(_measured, entries, taken.art, tiers)
        present = {one.key for one in reading.entries} | reading.untouched
        incoming = _Incoming(
            reading=reading,
            entries=measured,
            untouched=present - {one.entry.key for one in measured},
            free_rank=min(tiers.values()),
            held=taken.held,
        )
        try:
            changes = await self._write(incoming, reset=reset)
        except BaseException:
            await self.intake.give_back(taken.held)
            raise
        return ImportReport(
            pack=reading.manifest.pack.name,
            added=len(changes.added),
            changed=len(changes.changed),
            new_art=changes.new_art,
            vanished=len(changes.vanished),
            unchanged=changes.unchanged,
            kept_inactive=changes.kept_inactive,
            faults=(*reading.faults, *unknown, *taken.faults, *changes.faults),
        )

    async def _write(self, incoming: _Incoming, *, reset: bool) -> Changes:
        async with self.db.transaction() as tx:
            await catalogue.lock_catalogue(tx)
            pack, pack_changed = await self._write_pack(tx, incoming.reading)
            labels_changed = await _write_categories(tx, pack, incoming)
            state = PackState(
                rows=await store.rows_of_pack(tx, pack), last_position=await store.last_position(tx)
            )
            changes = compare(
                incoming.entries,
                state,
                untouched=incoming.untouched,
                reset=reset,
                new_id=lambda: EmojiId(new_uuid()),
            )
            digests = {row.art.digest for row in changes.written}
            await self.assets.register_all(tx, list(incoming.held.values()))
            await self._retain(tx, digests - incoming.held.keys())
            await store.write_emojis(tx, pack, changes.written, now=self.clock())
            await words.write_search_texts(
                tx, [row for row in changes.written if is_found_otherwise(row, state.rows)]
            )
            await publish_free(tx, self.assets, digests, free_rank=incoming.free_rank)
            if changes.written or pack_changed or labels_changed:
                await catalogue.advance_version(tx)
            if len(changes.written) >= _MANY:
                await catalogue.take_stock(tx)
        return changes

    async def _retain(self, tx: WriteConnection, digests: Collection[Digest]) -> None:
        """Keep the pictures that were registered before from being collected meanwhile."""
        try:
            for batch in in_batches(digests):
                await self.assets.retain(tx, batch)
        except NotFoundError as error:
            raise UnavailableError("A picture was removed meanwhile; import again.") from error

    async def _write_pack(self, tx: WriteConnection, reading: PackReading) -> tuple[PackId, bool]:
        facts = reading.manifest.pack
        known = await packs.find_pack(tx, facts.name)
        if known is not None and known.facts == facts:
            return known.id, False
        row = PackRow(known.id if known else PackId(new_uuid()), facts)
        await packs.write_pack(tx, row, now=self.clock())
        return row.id, True


async def _write_categories(tx: WriteConnection, pack: PackId, incoming: _Incoming) -> bool:
    """Add the pack's categories behind the known ones; relabel those that are its own."""
    known = {row.labels.name: row for row in await packs.read_categories(tx)}
    labels = {one.name: one for one in incoming.reading.manifest.categories}
    for name in dict.fromkeys(one.entry.category for one in incoming.entries):
        labels.setdefault(name, CategoryLabels(name=name, label=_label_of(name)))
    rows = []
    following = max((row.position for row in known.values()), default=0) + 1
    for name, one in labels.items():
        row = known.get(name)
        if row is None:
            rows.append(CategoryRow(one, pack, following))
            following += 1
        elif row.pack_id == pack and row.labels != one:
            rows.append(replace(row, labels=one))
    await packs.write_categories(tx, rows)
    return bool(rows)


def _label_of(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").capitalize()


def _measured(
    entries: Sequence[PackEntry], art: Mapping[str, Art], tiers: Mapping[str, int]
) -> list[MeasuredEntry]:
    """Entries with their pictures, tiers and names; a pack's own names go before Unicode's."""
    table = load_names()
    measured = []
    for entry in entries:
        if entry.key not in art:
            continue
        known = table.names_of(entry.character, name=entry.name)
        measured.append(
            MeasuredEntry(
                entry=entry,
                art=art[entry.key],
                tier=TierRank(entry.tier, tiers[entry.tier]),
                names={**known.names, **entry.names},
                aliases=known.aliases,
            )
        )
    return measured
