"""The fixed catalogue: which renditions a picture has, and how large each is.

Pure arithmetic on a picture's shape, so that lists can be answered without a look at the files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emoji_gallery.media.types import Shape

SIZES: Final = (64, 128, 256, 512, 1_024)
GIF_SIZES: Final = (256, 512)
AVIF_SIZES: Final = (512,)

LISTED: Final = ("64.webp", "128.webp", "512.webp")
"""What list items carry, as far as the picture has them."""

CONTENT_TYPES: Final[Mapping[str, str]] = {
    "webp": "image/webp",
    "png": "image/png",
    "gif": "image/gif",
    "avif": "image/avif",
}


@dataclass(frozen=True, slots=True)
class RenditionSpec:
    """One rendition that a picture has: its name, type and exact size in pixels."""

    name: str
    extension: str
    content_type: str
    width: int
    height: int
    animated: bool


def renditions(shape: Shape) -> dict[str, RenditionSpec]:
    """Name every rendition that a picture of this shape has, small ones first.

    A raster is never enlarged: the first size that holds the whole of it serves it as it is, and
    no larger size exists, in any type. A vector has every size.
    """
    names = [
        (size, extension)
        for size in _sizes(shape)
        for extension in _extensions(size, animated=shape.animated)
    ]
    return {f"{size}.{extension}": _spec(shape, size, extension) for size, extension in names}


def listed(shape: Shape) -> dict[str, RenditionSpec]:
    """Name those renditions of a picture that lists carry."""
    return {name: spec for name, spec in renditions(shape).items() if name in LISTED}


def is_known(name: str) -> bool:
    """Tell whether any picture at all could have a rendition of this name."""
    return name in _EVERY_NAME


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """Scale to touch a square from within, keeping the aspect; a side is at least 1."""
    longest = max(width, height)
    return (
        max(1, (2 * width * size + longest) // (2 * longest)),
        max(1, (2 * height * size + longest) // (2 * longest)),
    )


def _sizes(shape: Shape) -> tuple[int, ...]:
    if shape.vector:
        return SIZES
    longest = max(shape.width, shape.height)
    holding = [size for size in SIZES if size >= longest]
    return SIZES[: SIZES.index(holding[0]) + 1] if holding else SIZES


def _extensions(size: int, *, animated: bool) -> tuple[str, ...]:
    if animated:
        return ("webp", "png", "gif") if size in GIF_SIZES else ("webp", "png")
    return ("webp", "png", "avif") if size in AVIF_SIZES else ("webp", "png")


def _spec(shape: Shape, size: int, extension: str) -> RenditionSpec:
    width, height = shape.width, shape.height
    if shape.vector or max(width, height) > size:
        width, height = fit(width, height, size)
    return RenditionSpec(
        name=f"{size}.{extension}",
        extension=extension,
        content_type=CONTENT_TYPES[extension],
        width=width,
        height=height,
        animated=shape.animated and extension in {"webp", "gif"},
    )


_EVERY_NAME: Final = frozenset(
    f"{size}.{extension}"
    for size in SIZES
    for animated in (False, True)
    for extension in _extensions(size, animated=animated)
)
