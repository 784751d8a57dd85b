"""What is said about a picture: its format, its measured facts, the bounds it must keep."""

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """The formats that are taken, recognised by their bytes alone."""

    PNG = "png"
    JPEG = "jpeg"
    GIF = "gif"
    WEBP = "webp"
    AVIF = "avif"
    SVG = "svg"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that a header probe enforces before any pixel is decoded.

    A vector has no pixels of its own and is measured against none of them.
    """

    max_side: int = 4_096
    max_frame_pixels: int = 16_800_000
    max_frames: int = 1_000
    max_total_pixels: int = 50_000_000


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides which renditions a picture has: upright size in pixels, motion, kind."""

    width: int
    height: int
    animated: bool = False
    vector: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """The measured facts of one source.

    Width and height are upright pixels: an EXIF or container rotation is applied. A vector's are
    its aspect ratio fitted into 1024x1024. `duration_ms` is the length of one pass of an
    animation and None for a still.
    """

    format: Format
    width: int
    height: int
    frames: int = 1
    duration_ms: int | None = None

    @property
    def animated(self) -> bool:
        """Whether there is more than one frame."""
        return self.frames > 1

    @property
    def vector(self) -> bool:
        """Whether it is drawn at any size without loss."""
        return self.format is Format.SVG

    @property
    def shape(self) -> Shape:
        """The facts that the rendition catalogue asks for."""
        return Shape(self.width, self.height, animated=self.animated, vector=self.vector)


@dataclass(frozen=True, slots=True)
class Rendered:
    """One finished rendition: its bytes, and what they are."""

    name: str
    content_type: str
    width: int
    height: int
    data: bytes
