"""Measuring rasters by their headers."""

import pytest
import pyvips
from PIL import Image

from emoji_gallery.media import raster
from emoji_gallery.media.errors import ImageRejectedError, Rejection, UnsupportedMediaError
from emoji_gallery.media.types import Format, Limits, Probe
from tests.media.pictures import (
    animated_png,
    animation,
    flickering_gif,
    gradient,
    huge_png,
    png,
    rotating,
    saved,
)


def probed(data: bytes, kind: Format, limits: Limits | None = None) -> Probe:
    return raster.probe(data, kind, limits or Limits())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
def test_a_still_tells_format_and_size(kind: str) -> None:
    expected = Probe(Format(kind.lower()), 60, 40)
    assert probed(saved(gradient(60, 40), kind), expected.format) == expected


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_animation_tells_frames_and_length(kind: str) -> None:
    data = animation(rotating(5), kind, [100, 50, 30, 20, 200])
    assert probed(data, Format(kind.lower())) == Probe(Format(kind.lower()), 40, 30, 5, 400)


def test_frames_without_delay_last_as_long_as_browsers_show_them() -> None:
    assert probed(flickering_gif(4), Format.GIF).duration_ms == 400


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(9))
def test_width_and_height_are_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(gradient(60, 40), kind, exif=exif)
    upright = (40, 60) if orientation in {5, 6, 7, 8} else (60, 40)
    measured = probed(data, Format(kind.lower()))
    assert (measured.width, measured.height) == upright


def test_rotation_inside_an_avif_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    measured = probed(saved(gradient(60, 40), "AVIF", exif=exif), Format.AVIF)
    assert (measured.width, measured.height) == (40, 60)


@pytest.mark.parametrize(
    ("data", "kind", "reason", "limit", "actual"),
    [
        (huge_png(40_000), Format.PNG, Rejection.DIMENSIONS_TOO_LARGE, 4_096, 40_000),
        (flickering_gif(10_000), Format.GIF, Rejection.TOO_MANY_FRAMES, 1_000, 10_000),
    ],
)
def test_a_bomb_is_refused_by_its_header(
    data: bytes, kind: Format, reason: Rejection, limit: int, actual: int
) -> None:
    with pytest.raises(ImageRejectedError) as refusal:
        probed(data, kind)
    assert refusal.value.reason is reason
    assert (refusal.value.limit, refusal.value.actual) == (limit, actual)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
def test_every_format_is_held_against_the_limits(kind: str) -> None:
    data = saved(gradient(60, 40), kind)
    with pytest.raises(ImageRejectedError, match="dimensions_too_large"):
        probed(data, Format(kind.lower()), Limits(max_side=59))
    with pytest.raises(ImageRejectedError, match="too_many_pixels"):
        probed(data, Format(kind.lower()), Limits(max_frame_pixels=2_399))


def test_all_frames_count_together() -> None:
    data = animation(rotating(5), "WEBP", 50)
    with pytest.raises(ImageRejectedError, match="animation_too_large") as refusal:
        probed(data, Format.WEBP, Limits(max_total_pixels=5_999))
    assert refusal.value.actual == 6_000


@pytest.mark.parametrize(
    ("data", "kind"),
    [(animated_png(), Format.PNG), (animation(rotating(2), "AVIF", 50), Format.AVIF)],
)
def test_animated_png_and_avif_are_not_taken(data: bytes, kind: Format) -> None:
    with pytest.raises(UnsupportedMediaError):
        probed(data, kind)


def test_an_avif_of_several_images_is_not_taken() -> None:
    two = pyvips.Image.black(16, 32, bands=3).heifsave_buffer(compression="av1", page_height=16)
    with pytest.raises(UnsupportedMediaError, match="2 images"):
        probed(two, Format.AVIF)


def test_a_truncated_png_is_found_by_its_header() -> None:
    with pytest.raises(ImageRejectedError, match="damaged"):
        probed(png()[:-20], Format.PNG)


def test_a_gif_without_frames_is_refused_by_its_decoder() -> None:
    with pytest.raises(Exception, match="no frames"):
        probed(flickering_gif(0), Format.GIF)
