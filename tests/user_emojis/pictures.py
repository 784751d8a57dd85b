"""Pictures to upload, each of bytes of its own."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import count
from typing import Final

from PIL import Image

_numbers = count(1)

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def png(*, width: int = 40, height: int = 30) -> bytes:
    """A still that nobody uploaded before."""
    return _saved(Image.new("RGB", (width, height), _next_colour()), "PNG")


def gif(*, frames: int = 3, frame_ms: int = 100) -> bytes:
    """An animation that nobody uploaded before."""
    pictures = [Image.new("RGB", (20, 20), _next_colour()) for _ in range(frames)]
    file = io.BytesIO()
    pictures[0].save(
        file, "GIF", save_all=True, append_images=pictures[1:], duration=frame_ms, loop=0
    )
    return file.getvalue()


def still(name: str) -> bytes:
    """A still in the format of that name."""
    return _saved(Image.new("RGB", (40, 30), _next_colour()), name)


def svg(inside: str = "") -> bytes:
    """A vector that nobody uploaded before."""
    red, green, blue = _next_colour()
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
        f'<rect width="10" height="10" fill="rgb({red},{green},{blue})"/>{inside}</svg>'
    ).encode()


def png_claiming(width: int, height: int) -> bytes:
    """A small file whose header announces a picture of any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(b"\0" * 2000)
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def gif_of_frames(frames: int) -> bytes:
    """A small file of many frames of one pixel."""
    number = next(_numbers)
    palette = struct.pack(">I", number)[1:] + b"\xff\xff\xff"
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + palette
    control = b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
    frame = control + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return screen + frame * frames + b"\x3b"


def damaged_png() -> bytes:
    """A picture whose header is fine and whose pixels are not."""
    content = bytearray(png(width=200, height=200))
    at = content.index(b"IDAT") + 10
    content[at : at + 8] = b"\xff" * 8
    # The checksum is made good again, so that only decoding finds the damage.
    start = content.index(b"IDAT")
    (length,) = struct.unpack(">I", content[start - 4 : start])
    end = start + 4 + length
    content[end : end + 4] = struct.pack(">I", zlib.crc32(content[start:end]))
    return bytes(content)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG."""
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _saved(picture: Image.Image, name: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, name)
    return file.getvalue()


def _next_colour() -> tuple[int, int, int]:
    number = next(_numbers)
    return (number * 8 % 256, number // 32 % 256, number // 8192 % 256)
