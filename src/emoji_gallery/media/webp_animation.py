"""Gives an encoded WebP animation the exact timing of its source.

The encoder merges equal neighbours into one frame and stretches short delays. So it is handed
equal delays of one STEP_MS a frame, which tells how many frames each of its own stands for; then
the true delays are written in, and the merged frames are put back as ones that change nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Final

STEP_MS: Final = 100
"""The delay of every frame at encoding: long enough that no encoder stretches it."""

_ANIMATION_FLAG: Final = 0x02
_ALPHA_FLAG: Final = 0x10
_DISPOSE_FLAG: Final = 0x01
_FRAME_HEADER: Final = 16


def set_timing(encoded: bytes, *, delays: Sequence[int], plays: int) -> bytes:
    """Answer the animation with one frame for each delay (ms), played that often (0 = for ever).

    Raises ValueError where the encoder's frames do not add up to the delays.
    """
    chunks = list(_chunks(encoded))
    frames = [data for name, data in chunks if name == b"ANMF"]
    header = next((data for name, data in chunks if name == b"VP8X"), None)
    if not frames:
        header, frames = _as_single_frame(encoded, chunks, len(delays))
    if header is None:
        raise ValueError("an animation without its extended header")
    timed = list(_timed(frames, delays))
    if len(timed) != len(delays):
        raise ValueError(f"{len(timed)} frames encoded for {len(delays)} delays")
    flags = header[0] | _ANIMATION_FLAG
    if len(frames) < len(timed):
        flags |= _ALPHA_FLAG
    background_and_plays = b"\x00\x00\x00\x00" + min(plays, 0xFFFF).to_bytes(2, "little")
    body = b"".join(
        (
            _chunk(b"VP8X", bytes([flags]) + header[1:]),
            _chunk(b"ANIM", background_and_plays),
            *(_chunk(b"ANMF", frame) for frame in timed),
        )
    )
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + b"\x00" * (len(data) & 1)


def _timed(frames: Sequence[bytes], delays: Sequence[int]) -> Iterator[bytes]:
    remaining = iter(delays)
    for frame in frames:
        repeats = int.from_bytes(frame[12:15], "little") // STEP_MS
        for index, delay in zip(range(repeats), remaining, strict=False):
            # Only the last of the frames that stand for one may clear the canvas behind them.
            flags = frame[15] if index == repeats - 1 else frame[15] & ~_DISPOSE_FLAG
            content = frame[_FRAME_HEADER:] if index == 0 else _chunk(b"VP8L", _invisible(frame))
            blends = flags if index == 0 else flags & _DISPOSE_FLAG
            yield frame[:12] + delay.to_bytes(3, "little") + bytes([blends]) + content


def _invisible(frame: bytes) -> bytes:
    """Write a lossless image of the frame's size whose every pixel is transparent.

    All five prefix codes have one symbol, so a pixel takes no bits (RFC 9649, 3.7.2).
    """
    width_less_one, height_less_one = (int.from_bytes(frame[i : i + 3], "little") for i in (6, 9))
    sizes = width_less_one | height_less_one << 14 | 1 << 28
    return b"\x2f" + sizes.to_bytes(4, "little") + b"\x88\x88\x08"


def _as_single_frame(
    encoded: bytes, chunks: Sequence[tuple[bytes, bytes]], frames: int
) -> tuple[bytes, list[bytes]]:
    """Wrap a still, which is what the encoder makes when all frames are equal."""
    name, data = next(((n, d) for n, d in chunks if n in {b"VP8 ", b"VP8L"}), (b"", b""))
    if name == b"VP8L":
        packed = int.from_bytes(data[1:5], "little")
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    elif name == b"VP8 ":
        width, height = (int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (6, 8))
    else:
        raise ValueError(f"a WebP of {len(encoded)} bytes without pixels")
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    pixels = b"".join(_chunk(n, d) for n, d in chunks if n in {b"ALPH", b"VP8 ", b"VP8L"})
    duration = (frames * STEP_MS).to_bytes(3, "little")
    frame = bytes(6) + size + duration + b"\x02" + pixels
    has_alpha = name == b"VP8L" or any(n == b"ALPH" for n, _ in chunks)
    return bytes([_ALPHA_FLAG if has_alpha else 0, 0, 0, 0]) + size, [frame]
