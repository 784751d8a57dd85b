"""What an import changes: a pack's entries against the rows that the gallery has of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emoji_gallery.contracts.ids import EmojiId
from emoji_gallery.gallery.rules.entries import Fault, PackEntry
from emoji_gallery.gallery.rules.positions import arranged
from emoji_gallery.gallery.rules.rows import Art, EmojiRow, TierRank

_NO_CURATION: Final = frozenset[str]()


@dataclass(frozen=True)
class MeasuredEntry:
    """An entry whose picture has been looked at, with its names in all languages."""

    entry: PackEntry
    art: Art
    tier: TierRank
    names: Mapping[str, str]
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class PackState:
    """What the gallery has: the pack's rows by key, and the last position of all packs."""

    rows: Mapping[str, EmojiRow]
    last_position: int


@dataclass(frozen=True)
class Changes:
    """What to write. Rows are whole; `kept_inactive` are in the pack, but switched off."""

    added: tuple[EmojiRow, ...]
    changed: tuple[EmojiRow, ...]
    vanished: tuple[EmojiRow, ...]
    new_art: int
    unchanged: int
    kept_inactive: int
    faults: tuple[Fault, ...]

    @property
    def written(self) -> tuple[EmojiRow, ...]:
        """Every row that is not as it was."""
        return (*self.added, *self.changed, *self.vanished)


def compare(
    entries: Sequence[MeasuredEntry],
    state: PackState,
    *,
    untouched: Collection[str],
    reset: bool,
    new_id: Callable[[], EmojiId],
) -> Changes:
    """Decide what an import writes. With `reset` the pack decides, without it curators do."""
    usable, faults = _with_bases(entries, state.rows)
    ids = {
        measured.entry.key: row.id
        if (row := state.rows.get(measured.entry.key)) is not None
        else new_id()
        for measured in usable
    }
    ids = {**{key: row.id for key, row in state.rows.items()}, **ids}
    positions = _positions(usable, state, reset=reset)
    rows = [
        _row(measured, state.rows.get(measured.entry.key), ids, position, reset=reset)
        for measured, position in zip(usable, positions, strict=True)
    ]
    present = {measured.entry.key for measured in entries} | set(untouched)
    before = [(row, state.rows.get(row.key)) for row in rows]
    return Changes(
        added=tuple(row for row, old in before if old is None),
        changed=tuple(row for row, old in before if old is not None and old != row),
        vanished=tuple(
            replace(row, is_active=False)
            for key, row in state.rows.items()
            if key not in present and row.is_active
        ),
        new_art=sum(old is not None and old.art.digest != row.art.digest for row, old in before),
        unchanged=sum(old == row for row, old in before),
        kept_inactive=sum(not row.is_active for row in rows),
        faults=faults,
    )


def is_found_otherwise(row: EmojiRow, before: Mapping[str, EmojiRow]) -> bool:
    """Whether a row has other texts to be found by than it had."""
    old = before.get(row.key)
    return old is None or (old.name, old.names, old.tags, old.aliases) != (
        row.name,
        row.names,
        row.tags,
        row.aliases,
    )


def _with_bases(
    entries: Sequence[MeasuredEntry], rows: Mapping[str, EmojiRow]
) -> tuple[list[MeasuredEntry], tuple[Fault, ...]]:
    """The entries but for variants whose base is neither here nor in the gallery."""
    known = {measured.entry.key for measured in entries} | rows.keys()
    usable = [one for one in entries if one.entry.base is None or one.entry.base in known]
    faults = tuple(
        Fault(one.entry.file, f"base: {one.entry.base} could not be imported")
        for one in entries
        if one.entry.base is not None and one.entry.base not in known
    )
    return usable, faults


def _positions(entries: Sequence[MeasuredEntry], state: PackState, *, reset: bool) -> list[int]:
    """A position for each entry; what a curator placed stays and is no neighbour to the rest."""
    positions: list[int | None] = []
    arranging: list[int] = []
    for index, measured in enumerate(entries):
        row = state.rows.get(measured.entry.key)
        curated = row is not None and not reset and "position" in row.curated
        positions.append(None if row is None else row.position)
        if not curated:
            arranging.append(index)
    placed = arranged([positions[index] for index in arranging], last=state.last_position)
    for index, place in zip(arranging, placed, strict=True):
        positions[index] = place
    return [place for place in positions if place is not None]


def _row(
    measured: MeasuredEntry,
    old: EmojiRow | None,
    ids: Mapping[str, EmojiId],
    position: int,
    *,
    reset: bool,
) -> EmojiRow:
    entry = measured.entry
    row = EmojiRow(
        id=ids[entry.key],
        key=entry.key,
        base_id=None if entry.base is None else ids[entry.base],
        character=entry.character,
        name=entry.name,
        names=measured.names,
        tags=entry.tags,
        aliases=measured.aliases,
        category=entry.category,
        subcategory=entry.subcategory,
        tier=measured.tier,
        position=position,
        is_active=entry.active,
        art=measured.art,
        author=entry.author,
        curated=_NO_CURATION,
    )
    if old is None or reset:
        return row
    # An import switches nothing on again: whoever switched it off had a reason.
    active = old.is_active and (entry.active or "is_active" in old.curated)
    kept = replace(row, is_active=active, curated=old.curated)
    if "name" in old.curated:
        kept = replace(kept, name=old.name)
    if "tags" in old.curated:
        kept = replace(kept, tags=old.tags)
    if "tier" in old.curated:
        kept = replace(kept, tier=old.tier)
    return kept
