"""A child: loads one family of decoders, locks itself in, then works one task at a time.

Started as `python -m emoji_gallery.media.child KIND SOCKET DATA_BYTES PARENT_PID` with one end
of a socket pair. A task comes with the source as an open descriptor; the child ends when the
parent's end closes.
"""

import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol

from emoji_gallery.media import sandbox
from emoji_gallery.media.catalogue import RenditionSpec
from emoji_gallery.media.errors import ImageRejectedError, MediaError, Rejection
from emoji_gallery.media.protocol import (
    LENGTH_BYTES,
    MAX_RESULT_BYTES,
    MAX_SOURCE_BYTES,
    ProbeTask,
    Ready,
    Rendering,
    Task,
    decode_task,
    encode_answer,
    encode_error,
)
from emoji_gallery.media.types import Format, Limits, Probe

_OUT_OF_MEMORY: Final = ("out of memory", "unable to allocate", "malloc")


class Family(Protocol):
    """The decoders of one kind of source, as a module."""

    def probe(self, data: bytes, kind: Format, limits: Limits, /) -> Probe:
        """Measure by headers alone."""
        ...

    def render(self, data: bytes, probe: Probe, specs: Sequence[RenditionSpec], /) -> list[bytes]:
        """Make the renditions, in the order of their specs."""
        ...


def main(arguments: list[str]) -> None:
    """Serve tasks until the parent hangs up."""
    kind, descriptor, data_bytes, parent = arguments
    off_network = sandbox.leave_network()
    family = _load(kind)
    measures = sandbox.lock_down(data_bytes=int(data_bytes), parent=int(parent))
    with socket.socket(fileno=int(descriptor)) as line:
        line.sendall(encode_answer(Ready([*measures, *(["network"] if off_network else [])])))
        serve(line, family)


def serve(line: socket.socket, family: Family) -> None:
    """Answer task after task; return when the other end closes."""
    with suppress(EOFError):
        while True:
            head, descriptors, _, _ = socket.recv_fds(line, LENGTH_BYTES, 1)
            try:
                head += _receive(line, LENGTH_BYTES - len(head))
                task = decode_task(_receive(line, int.from_bytes(head, "big")))
                _answer(line, task, descriptors[0], family)
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)


def _answer(line: socket.socket, task: Task, source: int, family: Family) -> None:
    try:
        result = _work(task, _read(source), family)
    except MediaError as error:
        line.sendall(encode_error(error))
    except MemoryError:
        line.sendall(encode_error(ImageRejectedError(Rejection.OUT_OF_MEMORY)))
    except Exception as error:  # noqa: BLE001 (decoders raise what they like; the parent decides)
        line.sendall(encode_error(_as_rejection(error)))
    else:
        _send(line, result)


def _work(task: Task, data: bytes, family: Family) -> Probe | list[bytes]:
    if isinstance(task, ProbeTask):
        return family.probe(data, task.format, task.limits)
    return family.render(data, task.probe, task.specs)


def _send(line: socket.socket, result: Probe | list[bytes]) -> None:
    if isinstance(result, Probe):
        line.sendall(encode_answer(result))
        return
    sizes = [len(rendition) for rendition in result]
    if sum(sizes) > MAX_RESULT_BYTES:
        line.sendall(encode_error(ImageRejectedError(Rejection.OUT_OF_MEMORY)))
        return
    line.sendall(encode_answer(Rendering(sizes)))
    for rendition in result:
        line.sendall(rendition)


def _as_rejection(error: Exception) -> Exception:
    """Read a decoder's complaint: it is the picture's fault unless memory was short.

    The text of a complaint may quote the file, so one that cannot be decoded is a complaint too.
    """
    if type(error).__module__.startswith("pyvips"):
        short = any(phrase in str(error) for phrase in _OUT_OF_MEMORY)
        return ImageRejectedError(Rejection.OUT_OF_MEMORY if short else Rejection.DAMAGED)
    if isinstance(error, UnicodeDecodeError):
        return ImageRejectedError(Rejection.DAMAGED)
    return error


def _load(kind: str) -> Family:
    """Import one family and warm it up, while files can still be opened."""
    # Each is imported in its own kind of child only: a vector child allows no raster loader.
    if kind == "raster":
        from emoji_gallery.media import raster  # noqa: PLC0415 (as said above)

        raster.prepare()
        return raster
    from emoji_gallery.media import vector  # noqa: PLC0415 (as said above)

    vector.prepare()
    return vector


def _read(descriptor: int) -> bytes:
    length = os.fstat(descriptor).st_size
    if length > MAX_SOURCE_BYTES:
        raise ImageRejectedError(Rejection.OUT_OF_MEMORY)
    parts, at = [], 0
    while at < length and (part := os.pread(descriptor, length - at, at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _receive(line: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = line.recv(length - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    main(sys.argv[1:])
