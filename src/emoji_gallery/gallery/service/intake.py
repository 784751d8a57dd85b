"""Takes a pack's pictures in: hashes all, and measures and stores those not seen before."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.gallery.rules.entries import Fault, PackEntry
from emoji_gallery.gallery.rules.rows import Art
from emoji_gallery.gallery.service.pack_files import PackFileError, PackFiles
from emoji_gallery.gallery.store import emojis as store
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.media.errors import (
    ImageRejectedError,
    RendererUnavailableError,
    UnsupportedMediaError,
)
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.media.types import Limits, Probe

# Entries that are done, and all there are.
Progress = Callable[[int, int], None]

_AT_ONCE: Final = 250
_BYTES_AT_ONCE: Final = 128 * 1024 * 1024

# Storing waits for the disk while probing takes the processor, so more than one a core pays.
_WORKERS: Final = 6

# The in-house art is bounded as the uploads of the highest tier are.
_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Taken:
    """The pictures that can be used, by the keys of their entries, and the others' faults."""

    art: Mapping[str, Art]
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class _Source:
    """What a picture is known by, and its bytes."""

    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class _New:
    """One picture not seen before, and an entry that shows it."""

    digest: Digest
    size: int
    entry: PackEntry


@dataclass(frozen=True)
class TakeArt:
    """Measures pictures in the renderer's children and hands them to the assets."""

    db: Database
    assets: Assets
    renderer: Renderer

    async def take(
        self, files: PackFiles, entries: Sequence[PackEntry], progress: Progress
    ) -> Taken:
        """Every entry's picture or fault; new ones are stored and registered afterwards.

        Raises `StorageFullError` and `UnavailableError`; then nothing new is kept.
        """
        sources: dict[str, _Source] = {}
        faults: dict[str, str] = {}
        for start in range(0, len(entries), _AT_ONCE):
            batch = entries[start : start + _AT_ONCE]
            await asyncio.to_thread(_hash, files, batch, sources, faults)
        async with self.db.reading() as connection:
            digests = {source.digest for source in sources.values()}
            known = await store.known_art(connection, sorted(digests))
        new = _unknown(entries, sources, known)
        intake = _Intake(self, files, progress, done=len(entries) - len(new), total=len(entries))
        art = {**known, **await intake.run(new)}
        for key, source in sources.items():
            if source.digest in intake.refused:
                faults[key] = intake.refused[source.digest]
        return Taken(
            art={key: art[one.digest] for key, one in sources.items() if one.digest in art},
            faults=[Fault(one.file, faults[one.key]) for one in entries if one.key in faults],
        )


def _unknown(
    entries: Sequence[PackEntry], sources: Mapping[str, _Source], known: Mapping[Digest, Art]
) -> list[_New]:
    """Each picture that is not known, by the first entry that shows it."""
    new: dict[Digest, _New] = {}
    for entry in entries:
        source = sources.get(entry.key)
        if source is not None and source.digest not in known:
            new.setdefault(source.digest, _New(source.digest, source.size, entry))
    return list(new.values())


class _Intake:
    """One run over new pictures, batch by batch; what it cannot finish it gives back."""

    def __init__(
        self, use: TakeArt, files: PackFiles, progress: Progress, *, done: int, total: int
    ) -> None:
        self.refused: dict[Digest, str] = {}
        self._use = use
        self._files = files
        self._progress = progress
        self._done = done
        self._total = total
        self._measured: dict[Digest, Art] = {}

    async def run(self, new: Sequence[_New]) -> Mapping[Digest, Art]:
        """Measure, store and register."""
        self._progress(self._done, self._total)
        for batch in _batches(new):
            with tempfile.TemporaryDirectory(prefix="emoji-gallery-pack-") as folder:
                await self._take(batch, Path(folder))
        return self._measured

    async def _take(self, batch: Sequence[_New], folder: Path) -> None:
        """Take a batch from copies that nobody else writes to."""
        changed = await asyncio.to_thread(_spool, self._files, batch, folder)
        self.refused.update(dict.fromkeys(changed, "changed while it was read"))
        waiting = iter(batch)
        held: dict[Digest, tuple[Probe, int]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_WORKERS):
                    group.create_task(self._work(waiting, folder, held))
        except BaseExceptionGroup as group_of_one:
            await self._use.assets.discard(list(held))
            raise group_of_one.exceptions[0] from None
        await self._register(held)

    async def _work(
        self, waiting: Iterator[_New], folder: Path, held: dict[Digest, tuple[Probe, int]]
    ) -> None:
        for new in waiting:
            if new.digest not in self.refused:
                await self._measure(new, folder / new.digest, held)
            self._done += 1
            self._progress(self._done, self._total)

    async def _measure(self, new: _New, path: Path, held: dict[Digest, tuple[Probe, int]]) -> None:
        try:
            probe = await self._use.renderer.probe(path, limits=_LIMITS)
        except ImageRejectedError as error:
            self.refused[new.digest] = f"image_rejected: {error.reason}"
        except UnsupportedMediaError:
            self.refused[new.digest] = "unsupported_media_type"
        except RendererUnavailableError as error:
            raise UnavailableError("No renderer is free.") from error
        else:
            await self._use.assets.ingest(path, digest=new.digest)
            held[new.digest] = (probe, new.size)

    async def _register(self, held: Mapping[Digest, tuple[Probe, int]]) -> None:
        async with self._use.db.transaction() as tx:
            for digest in sorted(held):
                probe, size = held[digest]
                await self._use.assets.register(tx, digest, probe, size=size)
        self._measured.update({digest: _art(digest, probe) for digest, (probe, _) in held.items()})


def _batches(new: Sequence[_New]) -> Iterator[Sequence[_New]]:
    """Parts that are small enough, in number and bytes, to be held at once."""
    batch: list[_New] = []
    size = 0
    for one in new:
        if batch and (len(batch) >= _AT_ONCE or size + one.size > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


def _hash(
    files: PackFiles,
    entries: Sequence[PackEntry],
    sources: dict[str, _Source],
    faults: dict[str, str],
) -> None:
    for entry in entries:
        try:
            data = files.read(entry.file)
        except PackFileError as error:
            faults[entry.key] = str(error)
        else:
            sources[entry.key] = _Source(_digest(data), len(data))


def _spool(files: PackFiles, batch: Sequence[_New], folder: Path) -> list[Digest]:
    """Copy pictures to files named by their digests; those that have another one by now."""
    changed = []
    for new in batch:
        try:
            data = files.read(new.entry.file)
        except PackFileError:
            data = b""
        if _digest(data) == new.digest:
            (folder / new.digest).write_bytes(data)
        else:
            changed.append(new.digest)
    return changed


def _digest(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


def _art(digest: Digest, probe: Probe) -> Art:
    return Art(
        digest=digest,
        width=probe.width,
        height=probe.height,
        duration_ms=probe.duration_ms,
        animated=probe.animated,
        vector=probe.vector,
    )
