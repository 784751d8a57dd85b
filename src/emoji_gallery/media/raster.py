"""Measures and renders rasters with libvips. Runs in a child only."""

from collections.abc import Iterator, Sequence
from typing import Final

import pyvips

from emoji_gallery.media.catalogue import RenditionSpec, renditions
from emoji_gallery.media.encode import Motion, encode_animation, encode_still
from emoji_gallery.media.errors import ImageRejectedError, Rejection, UnsupportedMediaError
from emoji_gallery.media.limits import check_limits
from emoji_gallery.media.structure import read_structure
from emoji_gallery.media.timing import played_ms
from emoji_gallery.media.types import Format, Limits, Probe
from emoji_gallery.media.vips import RASTER_LOADERS, allow_only
from emoji_gallery.media.xmp import stated_orientation

_QUARTER_TURNED: Final = frozenset({5, 6, 7, 8})
"""The EXIF orientations that swap width and height."""

_LOADERS: Final = {
    Format.PNG: "pngload_buffer",
    Format.JPEG: "jpegload_buffer",
    Format.GIF: "gifload_buffer",
    Format.WEBP: "webpload_buffer",
    Format.AVIF: "heifload_buffer",
}
_AVIF_HEAD_BYTES: Final = 65_536
"""The boxes that describe an AVIF come before its pixels and are far smaller."""

_MULTI_FRAME: Final = frozenset({Format.GIF, Format.WEBP})


def prepare() -> None:
    """Allow the raster loaders, then take a dot through every coder once.

    That opens whatever the libraries open on first use, and takes it out of the first task's time.
    """
    allow_only(RASTER_LOADERS)
    dot = pyvips.Image.black(2, 2, bands=3).copy(interpretation="srgb")
    for source, kind in (
        (dot.pngsave_buffer(), Format.PNG),
        (dot.webpsave_buffer(), Format.WEBP),
        (dot.gifsave_buffer(), Format.GIF),
        (dot.heifsave_buffer(compression="av1"), Format.AVIF),
    ):
        made = probe(source, kind, Limits())
        render(source, made, list(renditions(made.shape).values()))


def probe(data: bytes, kind: Format, limits: Limits) -> Probe:
    """Measure by headers alone, refusing what passes a limit before any pixel is decoded."""
    structure = read_structure(data, kind)
    if structure is not None:
        check_limits(
            limits,
            width=structure.width,
            height=structure.height,
            # A GIF of no frame is damaged, which its decoder says below.
            frames=max(1, structure.frames),
        )
    image = _open(data, kind, every_frame=True)
    frames, width, height = _page_count(image), image.width, _page_height(image)
    if frames > 1 and kind not in _MULTI_FRAME:
        raise UnsupportedMediaError(f"{kind} of {frames} images")
    if frames == 1 and _orientation(image) in _QUARTER_TURNED:
        width, height = height, width
    check_limits(limits, width=width, height=height, frames=frames)
    duration_ms = played_ms(_motion(image, frames).delays) if frames > 1 else None
    return Probe(kind, width, height, frames, duration_ms)


def render(data: bytes, probe: Probe, specs: Sequence[RenditionSpec]) -> list[bytes]:
    """Decode once, and make each rendition from the full-size pixels.

    So none depends on which others are made with it. Raises ImageRejectedError, or what the
    decoder raises, for damage in what it has to read.
    """
    moving = [spec for spec in specs if spec.animated]
    image = _open(data, probe.format, every_frame=bool(moving))
    frames = _page_count(image) if moving else 1
    motion = _motion(image, frames)
    sized: dict[tuple[int, int], list[pyvips.Image]] = {}
    still: dict[str, bytes] = {}
    # Frame by frame, so that only what is kept of each is in memory together.
    for number, frame in enumerate(_frames(image, probe, frames)):
        if number == 0:
            still = {spec.name: _poster(frame, spec) for spec in specs if not spec.animated}
        for size in {(spec.width, spec.height) for spec in moving}:
            sized.setdefault(size, []).append(_resize(frame, *size))
    return [
        encode_animation(_alike(sized[spec.width, spec.height]), spec.extension, motion)
        if spec.animated
        else still[spec.name]
        for spec in specs
    ]


def _frames(image: pyvips.Image, probe: Probe, frames: int) -> Iterator[pyvips.Image]:
    """Decode frame after frame, each upright 8-bit sRGB.

    Raises ImageRejectedError where the decoder sees another picture than the probe did.
    """
    height = _page_height(image) if frames > 1 else image.height
    for number in range(frames):
        whole = image.crop(0, height * number, image.width, height) if frames > 1 else image
        frame = _to_srgb(whole)
        # A WebP is decoded whole into memory, where its frames need no second place.
        if frame is not whole or probe.format is not Format.WEBP:
            frame = frame.copy_memory()
        if probe.frames == 1 and _orientation(image) > 1:
            frame = frame.autorot().copy_memory()
        if (frame.width, frame.height) != (probe.width, probe.height):
            raise ImageRejectedError(Rejection.DAMAGED)
        yield _without_idle_alpha(frame)


def _poster(frame: pyvips.Image, spec: RenditionSpec) -> bytes:
    return encode_still(_resize(frame, spec.width, spec.height), spec.extension)


def _alike(frames: Sequence[pyvips.Image]) -> Sequence[pyvips.Image]:
    """Give every frame an alpha channel where any has one."""
    if not any(frame.hasalpha() for frame in frames):
        return frames
    return [frame if frame.hasalpha() else frame.addalpha() for frame in frames]


def _open(data: bytes, kind: Format, *, every_frame: bool) -> pyvips.Image:
    """Open for one pass from top to bottom; a decoder's first complaint fails the whole."""
    options = {"n": -1} if every_frame and kind in _MULTI_FRAME else {}
    load = getattr(pyvips.Image, _LOADERS[kind])
    image: pyvips.Image = load(data, access="sequential", fail_on="error", **options)
    return image if _is_turned_by_container(data, kind) else _marked_as_xmp_says(image)


def _is_turned_by_container(data: bytes, kind: Format) -> bool:
    """Whether an AVIF has rotated or mirrored items (HEIF, 6.5.10), which its decoder applies.

    Writers that turn a picture so leave what XMP says as it was.
    """
    head = data[:_AVIF_HEAD_BYTES]
    return kind is Format.AVIF and (b"irot" in head or b"imir" in head)


def _marked_as_xmp_says(image: pyvips.Image) -> pyvips.Image:
    """Let XMP say which way up a picture is where EXIF is silent."""
    if image.get_typeof("orientation") or not image.get_typeof("xmp-data"):
        return image
    marked = image.copy()
    stated = stated_orientation(image.get("xmp-data"))
    marked.set_type(pyvips.GValue.gint_type, "orientation", stated)
    return marked


def _page_count(image: pyvips.Image) -> int:
    return int(image.get("n-pages")) if image.get_typeof("n-pages") else 1


def _page_height(image: pyvips.Image) -> int:
    return int(image.get("page-height")) if image.get_typeof("page-height") else image.height


def _orientation(image: pyvips.Image) -> int:
    return int(image.get("orientation")) if image.get_typeof("orientation") else 1


def _motion(image: pyvips.Image, frames: int) -> Motion:
    delays = list(image.get("delay")) if image.get_typeof("delay") else []
    plays = int(image.get("loop")) if image.get_typeof("loop") else 1
    return Motion([*delays, *([0] * frames)][:frames], plays)


def _to_srgb(image: pyvips.Image) -> pyvips.Image:
    """Apply an embedded profile, else the colour space's customary meaning.

    A profile that is broken or of another colour space counts as none, which libvips sees to.
    """
    if image.get_typeof("icc-profile-data"):
        image = image.icc_transform("srgb", embedded=True, depth=8, intent="perceptual")
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    return image if image.format == "uchar" else image.cast("uchar")


def _without_idle_alpha(image: pyvips.Image) -> pyvips.Image:
    opaque = image.hasalpha() and image[image.bands - 1].min() == 255  # noqa: PLR2004 (8 bits)
    return image[0:3] if opaque else image


def _resize(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    """Lanczos, on premultiplied colour so that what is transparent does not bleed."""
    if (image.width, image.height) == (width, height):
        return image
    scales = width / image.width, height / image.height
    if not image.hasalpha():
        return image.resize(scales[0], vscale=scales[1], kernel="lanczos3").copy_memory()
    sized = image.premultiply().resize(scales[0], vscale=scales[1], kernel="lanczos3")
    straight = sized.unpremultiply().rint().cast("uchar")
    return straight.copy(interpretation="srgb").copy_memory()
