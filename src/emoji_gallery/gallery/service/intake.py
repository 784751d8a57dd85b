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

_HASHED_AT_ONCE: Final = 250
_REGISTERED_AT_ONCE: Final = 250

# Storing waits for the disk while probing takes the processor, so more than one a core pays.
_WORKERS: Final = 6

# The in-house art is bounded as the uploads of the highest tier are.
_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Taken:
    """The pictures that can be used, by the keys of their entries, and the others' faults."""

    art: Mapping[str, Art]
    faults: Sequence[Fault]


@dataclass(frozen=True)
class _New:
    """One picture not seen before, and the first entry that shows it."""

    digest: Digest
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
        digests: dict[str, Digest] = {}
        faults: dict[str, str] = {}
        for start in range(0, len(entries), _HASHED_AT_ONCE):
            batch = entries[start : start + _HASHED_AT_ONCE]
            await asyncio.to_thread(_hash, files, batch, digests, faults)
        async with self.db.reading() as connection:
            known = await store.known_art(connection, sorted(set(digests.values())))
        first = {digests[one.key]: one for one in reversed(entries) if one.key in digests}
        new = [_New(digest, one) for digest, one in first.items() if digest not in known]
        new.sort(key=lambda one: one.entry.key)
        intake = _Intake(self, files, progress, done=len(entries) - len(new), total=len(entries))
        measured = await intake.run(new)
        art = {**known, **measured}
        faults.update(
            {
                key: intake.refused[digest]
                for key, digest in digests.items()
                if digest in intake.refused
            }
        )
        return Taken(
            art={key: art[digest] for key, digest in digests.items() if digest in art},
            faults=[Fault(one.file, faults[one.key]) for one in entries if one.key in faults],
        )


class _Intake:
    """One run over new pictures; what it cannot finish it gives back."""

    def __init__(
        self, use: TakeArt, files: PackFiles, progress: Progress, *, done: int, total: int
    ) -> None:
        self.refused: dict[Digest, str] = {}
        self._use = use
        self._files = files
        self._progress = progress
        self._done = done
        self._total = total
        self._held: dict[Digest, tuple[Probe, int]] = {}
        self._measured: dict[Digest, Art] = {}

    async def run(self, new: Sequence[_New]) -> Mapping[Digest, Art]:
        """Measure, store and register."""
        self._progress(self._done, self._total)
        waiting = iter(new)
        with tempfile.TemporaryDirectory(prefix="emoji-gallery-pack-") as folder:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(_WORKERS):
                        group.create_task(self._work(waiting, Path(folder)))
                await self._register()
            except BaseExceptionGroup as group:
                await self._use.assets.discard(list(self._held))
                raise group.exceptions[0] from None
        return self._measured

    async def _work(self, waiting: Iterator[_New], folder: Path) -> None:
        for new in waiting:
            await self._take(new, folder / new.digest)
            self._done += 1
            self._progress(self._done, self._total)
            if len(self._held) >= _REGISTERED_AT_ONCE:
                await self._register()

    async def _take(self, new: _New, spooled: Path) -> None:
        """Measure one picture from a copy that nobody else writes to, and store that copy."""
        size = await asyncio.to_thread(_spool, self._files, new.entry.file, spooled)
        try:
            if size is None:
                self.refused[new.digest] = "changed while it was read"
                return
            probe = await self._use.renderer.probe(spooled, limits=_LIMITS)
            await self._use.assets.ingest(spooled, digest=new.digest)
        except ImageRejectedError as error:
            self.refused[new.digest] = f"image_rejected: {error.reason}"
        except RendererUnavailableError as error:
            raise UnavailableError("No renderer is free.") from error
        except UnsupportedMediaError:
            self.refused[new.digest] = "unsupported_media_type"
        else:
            self._held[new.digest] = (probe, size)
        finally:
            await asyncio.to_thread(spooled.unlink)

    async def _register(self) -> None:
        held, self._held = self._held, {}
        async with self._use.db.transaction() as tx:
            for digest in sorted(held):
                probe, size = held[digest]
                await self._use.assets.register(tx, digest, probe, size=size)
        self._measured.update({digest: _art(digest, probe) for digest, (probe, _) in held.items()})


def _hash(
    files: PackFiles,
    entries: Sequence[PackEntry],
    digests: dict[str, Digest],
    faults: dict[str, str],
) -> None:
    for entry in entries:
        try:
            digests[entry.key] = Digest(hashlib.sha256(files.read(entry.file)).hexdigest())
        except PackFileError as error:
            faults[entry.key] = str(error)


def _spool(files: PackFiles, name: str, path: Path) -> int | None:
    """Copy a picture to a path that is named by its digest; None if it has another one by now."""
    try:
        data = files.read(name)
    except PackFileError:
        data = b""
    path.write_bytes(data)
    return len(data) if hashlib.sha256(data).hexdigest() == path.name else None


def _art(digest: Digest, probe: Probe) -> Art:
    return Art(
        digest=digest,
        width=probe.width,
        height=probe.height,
        duration_ms=probe.duration_ms,
        animated=probe.animated,
        vector=probe.vector,
    )
