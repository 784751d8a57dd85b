"""Takes a file in: once, up to a cap, hashed and recognised on its way to the spool."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import orjson

from emoji_gallery.contracts.ids import Digest
from emoji_gallery.media.sniff import SNIFF_BYTES, sniff
from emoji_gallery.user_emojis.errors import FileTooLargeError, UnsupportedFormatError
from emoji_gallery.user_emojis.ports import IncomingUpload
from emoji_gallery.user_emojis.rules.names import shown_file_name
from emoji_gallery.user_emojis.service.spool import SpoolFile

# More than an honest form has beside its file: boundaries, headers, name and tags.
_FRAME_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """A file of a known format, or an empty one, and what its client said of it, unchecked."""

    digest: Digest
    size: int
    original_name: str
    name: str | None
    tags: tuple[str, ...]

    @property
    def fingerprint(self) -> bytes:
        """Tells a retry from another upload, whatever boundary either has."""
        fields = [self.digest, self.original_name, self.name, self.tags]
        return sha256(orjson.dumps(fields)).digest()


async def receive(incoming: IncomingUpload, file: SpoolFile, *, cap: int) -> Received:
    """Write the file that comes in to the spool, if it has no more than `cap` bytes.

    Raises `FileTooLargeError` before anything else is judged, `InvalidFormError`,
    `UnsupportedFormatError`, and whatever cuts a body off.
    """
    size = await _spool(incoming, file, cap=cap)
    form = incoming.form()
    if size != file.size:
        raise UnsupportedFormatError
    return Received(
        digest=await file.finish(),
        size=size,
        original_name=shown_file_name(form.file_name),
        name=form.name,
        tags=tuple(form.tags),
    )


async def _spool(incoming: IncomingUpload, file: SpoolFile, *, cap: int) -> int:
    """The size of the file that came; nothing is written of one of no known format."""
    if (incoming.declared_bytes or 0) > cap + _FRAME_BYTES:
        raise FileTooLargeError(cap)
    size = 0
    gate = _Gate()
    async for piece in incoming.file_pieces():
        size += len(piece)
        if size > cap or incoming.received_bytes > cap + _FRAME_BYTES:
            raise FileTooLargeError(cap)
        await file.write(gate.pass_on(piece))
    await file.write(gate.close())
    return size


class _Gate:
    """Holds the head of a file back until it tells whether its format is one that is taken."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._open: bool | None = None

    def pass_on(self, piece: bytes) -> bytes:
        """What may be written now."""
        if self._open is not None:
            return piece if self._open else b""
        self._head += piece
        return b"" if len(self._head) < SNIFF_BYTES else self._decide()

    def close(self) -> bytes:
        """What may be written once the file has ended."""
        return self._decide() if self._open is None else b""

    def _decide(self) -> bytes:
        head = bytes(self._head)
        self._open = sniff(head[:SNIFF_BYTES]) is not None
        return head if self._open else b""
