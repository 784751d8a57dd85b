"""Pictures that the tests make for themselves, sound and broken."""

import io
import math
import struct
import zlib
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageCms, ImageStat

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)

SVG_OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def gradient(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A smooth picture whose corners all differ."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    bands = {"R": across, "G": down, "B": ImageChops.invert(across), "A": down}
    return Image.merge(mode, [bands[band] for band in mode]) if mode != "L" else across


def png(width: int = 100, height: int = 50, mode: str = "RGB") -> bytes:
    return saved(gradient(width, height, mode), "PNG")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def rotating(frames: int, size: tuple[int, int] = (40, 30)) -> list[Image.Image]:
    """Frames that all differ, with transparent corners."""
    images = []
    for number in range(frames):
        image = Image.new("RGBA", size, (0, 0, 0, 0))
        colour = (250 - number * 60 % 250, number * 90 % 250, 120, 255)
        image.paste(colour, (2 + number % 8, 4, size[0] // 2 + number % 8, size[1] - 4))
        images.append(image)
    return images


def animation(
    frames: Sequence[Image.Image], kind: str, delays: Sequence[int] | int, loop: int | None = 0
) -> bytes:
    options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {"disposal": 2}
    if loop is not None:
        options["loop"] = loop
    return saved(
        frames[0],
        kind,
        save_all=True,
        append_images=list(frames[1:]),
        duration=delays if isinstance(delays, int) else list(delays),
        **options,
    )


def timing(data: bytes) -> tuple[list[int], int | None]:
    """The delays in ms that a file states, and its own loop number."""
    image, delays = Image.open(io.BytesIO(data)), []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        delays.append(round(image.info.get("duration", 0)))
    return delays, image.info.get("loop")


def frame(data: bytes, number: int) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.seek(number)
    return image.convert("RGBA")


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def huge_png(side: int) -> bytes:
    """A header of that size over a few rows of nothing: what follows is never looked at."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def animated_png() -> bytes:
    first, *others = rotating(3)
    return saved(first, "PNG", save_all=True, append_images=others, duration=100)


def flickering_gif(frames: int, *, trailer: bytes = b";") -> bytes:
    """A GIF of one pixel that many frames draw, without any delay."""
    screen = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    picture = b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00"
    return screen + picture * frames + trailer


def svg(body: str = '<rect width="10" height="10" fill="red"/>', attributes: str = "") -> bytes:
    return f'{SVG_OPEN} viewBox="0 0 10 10" {attributes}>{body}</svg>'.encode()


def slow_svg(turbulences: int = 40) -> bytes:
    """Noise laid over noise: each takes some ten milliseconds at 512 pixels."""
    filters = '<filter id="f"><feTurbulence baseFrequency="0.3" numOctaves="9"/></filter>'
    return svg(filters + '<rect width="10" height="10" filter="url(#f)"/>' * turbulences)


def profile(gamma: float) -> bytes:
    """An ICC profile of sRGB's primaries with another curve, as small as they come."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    at = srgb.index(b"rTRC")
    offset, length = struct.unpack(">II", srgb[at + 4 : at + 12])
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    return srgb[:offset] + curve.ljust(length, b"\0") + srgb[offset + length :]


def psnr(one: Image.Image, other: Image.Image) -> float:
    """How alike two pictures are in dB, over black; 99 where they are equal."""
    assert one.size == other.size
    black = Image.new("RGBA", one.size, (0, 0, 0, 255))
    flat = [Image.alpha_composite(black, image.convert("RGBA")) for image in (one, other)]
    squares = ImageStat.Stat(ImageChops.difference(*flat).convert("RGB")).sum2
    error = sum(squares) / (3 * one.size[0] * one.size[1])
    return 99.0 if error == 0 else 10 * math.log10(255**2 / error)
