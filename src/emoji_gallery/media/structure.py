"""Walks the containers of rasters without decoding a pixel.

A decoder would say how many frames there are only after it has set up memory for each, so the
walk comes first. It reads no more than the lengths and counts, and everything it reads may lie.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from emoji_gallery.media.errors import ImageRejectedError, Rejection, UnsupportedMediaError
from emoji_gallery.media.types import Format

_MAX_BLOCKS: Final = 250_000
"""How many chunks or blocks are followed. A thousand frames with metadata need far fewer."""


@dataclass(frozen=True, slots=True)
class Structure:
    """What the container declares: the canvas in stored orientation, and the frame count."""

    width: int
    height: int
    frames: int


def read_structure(data: bytes, kind: Format) -> Structure | None:
    """Read the canvas and the frame count; None where the decoder's header read is as cheap.

    Raises UnsupportedMediaError for animated PNG and AVIF, and ImageRejectedError for a container
    that ends early or contradicts itself.
    """
    reader = _READERS.get(kind)
    return reader(data) if reader else None


def _read_png(data: bytes) -> Structure:
    """Follow the chunks to IEND (PNG third edition, 5.3); acTL before IDAT means animation."""
    if data[8:16] != b"\x00\x00\x00\rIHDR" or len(data) < len(_PNG_SMALLEST):
        raise ImageRejectedError(Rejection.DAMAGED)
    at, seen_pixels = 8, False
    for _ in range(_MAX_BLOCKS):
        kind = data[at + 4 : at + 8]
        if kind == b"acTL" and not seen_pixels:
            raise UnsupportedMediaError("animated PNG")
        seen_pixels = seen_pixels or kind == b"IDAT"
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if at > len(data) or len(kind) < 4:  # noqa: PLR2004 (a chunk's name has four bytes)
            break
        if kind == b"IEND" and seen_pixels:
            width, height = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))
            return Structure(width, height, frames=1)
    raise ImageRejectedError(Rejection.DAMAGED)


_PNG_SMALLEST: Final = bytes(8 + 25 + 12 + 12)


def _read_gif(data: bytes) -> Structure:
    """Follow the blocks and count image descriptors (GIF89a, appendix B).

    What follows an unknown block is not looked at, as decoders do not; whether the file ends too
    early is theirs to say.
    """
    palette = 3 << ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0  # noqa: PLR2004 (the packed byte)
    at, frames = 13 + palette, 0
    for _ in range(_MAX_BLOCKS):
        introducer = data[at : at + 1]
        if introducer == b"!":
            at = _skip_sub_blocks(data, at + 2)
        elif introducer == b"," and len(data) > at + 10:
            packed = data[at + 9]
            local = 3 << ((packed & 7) + 1) if packed & 0x80 else 0
            at = _skip_sub_blocks(data, at + 11 + local)
            frames += 1
        else:
            break
    width, height = (int.from_bytes(data[i : i + 2], "little") for i in (6, 8))
    return Structure(width, height, frames)


def _skip_sub_blocks(data: bytes, at: int) -> int:
    end = len(data)
    while at < end and (length := data[at]):
        at += length + 1
    return at + 1


def _read_webp(data: bytes) -> Structure | None:
    """Count the ANMF chunks of an extended file (RFC 9649, 2.7); a simple file has none."""
    declared = int.from_bytes(data[4:8], "little") + 8
    if declared > len(data):
        raise ImageRejectedError(Rejection.DAMAGED)
    if data[12:16] != b"VP8X":
        return None
    at, frames = 12, 0
    for _ in range(_MAX_BLOCKS):
        if at + 8 > declared:
            break
        frames += data[at : at + 4] == b"ANMF"
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + (length & 1)
    width, height = (int.from_bytes(data[i : i + 3], "little") + 1 for i in (24, 27))
    return Structure(width, height, max(1, frames))


def _read_avif(data: bytes) -> None:
    """Refuse image sequences, which carry their own brand (AVIF 1.1, 6.3)."""
    box = data[8 : int.from_bytes(data[:4], "big")]
    if b"avis" in {box[at : at + 4] for at in range(0, len(box), 4)}:
        raise UnsupportedMediaError("animated AVIF")


_READERS: Final[dict[Format, Callable[[bytes], Structure | None]]] = {
    Format.PNG: _read_png,
    Format.GIF: _read_gif,
    Format.WEBP: _read_webp,
    Format.AVIF: _read_avif,
}
