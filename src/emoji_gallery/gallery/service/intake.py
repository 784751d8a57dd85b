"""Takes a pack's pictures in: hashes all, and measures and stores those not seen before."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from emoji_gallery.assets.rules.stored import StoredAsset
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

_Item = TypeVar("_Item")

# Entries that are done, and all there are.
Progress = Callable[[int, int], None]

_AT_ONCE: Final = 250
_BYTES_AT_ONCE: Final = 128 * 1024 * 1024

# Storing waits for the disk while probing takes the processor, so that a second batch pays.
_BATCHES_AT_ONCE: Final = 2
_WORKERS: Final = 4

# The in-house art is bounded as the uploads of the highest tier are.
_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Taken:
    """The pictures that can be used, by the keys of their entries, and the others' faults.

    `held` are stored, but new: they are to be registered, or given back.
    """

    art: Mapping[str, Art]
    faults: Sequence[Fault]
    held: Mapping[Digest, StoredAsset]


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
        """Every entry's picture or fault; new ones are stored and held afterwards.

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
        await intake.run(new)
        taken = {digest: _art(one) for digest, one in intake.held.items()}
        art = {**known, **taken}
        for key, source in sources.items():
            if source.digest in intake.refused:
                faults[key] = intake.refused[source.digest]
        return Taken(
            art={key: art[one.digest] for key, one in sources.items() if one.digest in art},
            faults=[Fault(one.file, faults[one.key]) for one in entries if one.key in faults],
            held=intake.held,
        )

    async def give_back(self, held: Collection[Digest]) -> None:
        """Take back what was held for an import that failed; a hold ends by itself, too."""
        with suppress(UnavailableError):
            await self.assets.discard(sorted(held))


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
    """One run over new pictures, batch by batch."""

    def __init__(
        self, use: TakeArt, files: PackFiles, progress: Progress, *, done: int, total: int
    ) -> None:
        self.refused: dict[Digest, str] = {}
        self.held: dict[Digest, StoredAsset] = {}
        self._use = use
        self._files = files
        self._progress = progress
        self._done = done
        self._total = total

    async def run(self, new: Sequence[_New]) -> None:
        """Measure, hold and store; some batches at once, since each waits for other things."""
        self._progress(self._done, self._total)
        try:
            await _share(_batches(new), self._take, workers=_BATCHES_AT_ONCE)
        except BaseException:
            await self._use.give_back(self.held)
            raise

    async def _take(self, batch: Sequence[_New]) -> None:
        """Take a batch from copies that nobody else writes to."""
        with tempfile.TemporaryDirectory(prefix="emoji-gallery-pack-") as name:
            folder = Path(name)
            changed = await asyncio.to_thread(_spool, self._files, batch, folder)
            self._refuse(dict.fromkeys(changed, "changed while it was read"))
            good: dict[Digest, StoredAsset] = {}

            async def measure(new: _New) -> None:
                if new.digest not in self.refused:
                    probe = await self._probe(folder / new.digest, new.digest)
                    if probe is not None:
                        good[new.digest] = StoredAsset(new.digest, probe, new.size)

            async def store_one(digest: Digest) -> None:
                await self._use.assets.store(folder / digest, digest=digest)
                self._tell()

            await _share(batch, measure, workers=_WORKERS)
            self.held.update(good)
            await self._use.assets.hold(sorted(good))
            await _share(good, store_one, workers=_WORKERS)

    async def _probe(self, path: Path, digest: Digest) -> Probe | None:
        try:
            return await self._use.renderer.probe(path, limits=_LIMITS)
        except ImageRejectedError as error:
            self._refuse({digest: f"image_rejected: {error.reason}"})
        except UnsupportedMediaError:
            self._refuse({digest: "unsupported_media_type"})
        except RendererUnavailableError as error:
            raise UnavailableError("No renderer is free.") from error
        return None

    def _refuse(self, reasons: Mapping[Digest, str]) -> None:
        self.refused.update(reasons)
        for _ in reasons:
            self._tell()

    def _tell(self) -> None:
        self._done += 1
        self._progress(self._done, self._total)


async def _share(
    work: Iterable[_Item], do: Callable[[_Item], Awaitable[None]], *, workers: int
) -> None:
    """Do all of the work with so many hands; the first failure ends it and is raised."""
    waiting = iter(work)

    async def hand() -> None:
        for item in waiting:
            await do(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(hand())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


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


def _art(stored: StoredAsset) -> Art:
    probe = stored.probe
    return Art(
        digest=stored.digest,
        width=probe.width,
        height=probe.height,
        duration_ms=probe.duration_ms,
        animated=probe.animated,
        vector=probe.vector,
    )
