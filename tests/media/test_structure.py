"""Walks through containers."""

import struct

import pytest

from emoji_gallery.media.errors import ImageRejectedError, UnsupportedMediaError
from emoji_gallery.media.structure import Structure, read_structure
from emoji_gallery.media.types import Format
from tests.media.pictures import (
    animated_png,
    animation,
    chunk,
    flickering_gif,
    gradient,
    huge_png,
    png,
    rotating,
    saved,
)


def test_a_png_tells_its_size() -> None:
    assert read_structure(png(100, 50), Format.PNG) == Structure(100, 50, 1)


def test_a_png_of_forty_thousand_pixels_a_side_is_measured_without_decoding() -> None:
    assert read_structure(huge_png(40_000), Format.PNG) == Structure(40_000, 40_000, 1)


def test_an_animated_png_is_not_taken() -> None:
    with pytest.raises(UnsupportedMediaError):
        read_structure(animated_png(), Format.PNG)


def test_an_animation_control_after_the_pixels_means_nothing() -> None:
    data = png()
    end = data.index(b"IEND") - 4
    late = data[:end] + chunk(b"acTL", struct.pack(">II", 1, 0)) + data[end:]
    assert read_structure(late, Format.PNG) == Structure(100, 50, 1)


@pytest.mark.parametrize("kept", [8, 20, 33, 0.1, 0.5, 0.9, -1])
def test_a_cut_png_is_damaged(kept: float) -> None:
    data = png()
    cut = data[: int(len(data) * kept)] if 0 < kept < 1 else data[: int(kept)]
    with pytest.raises(ImageRejectedError, match="damaged"):
        read_structure(cut, Format.PNG)


def test_a_png_that_does_not_begin_with_its_header_is_damaged() -> None:
    data = png()
    with pytest.raises(ImageRejectedError, match="damaged"):
        read_structure(data[:8] + chunk(b"tEXt", b"a") + data[8:], Format.PNG)


def test_a_png_without_pixels_is_damaged() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))
    with pytest.raises(ImageRejectedError, match="damaged"):
        read_structure(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IEND", b"") * 3, Format.PNG)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_frames_are_counted(kind: str) -> None:
    data = animation(rotating(7), kind, 50)
    assert read_structure(data, Format(kind.lower())) == Structure(40, 30, 7)


def test_ten_thousand_frames_are_counted_fast() -> None:
    assert read_structure(flickering_gif(10_000), Format.GIF) == Structure(1, 1, 10_000)


@pytest.mark.parametrize("trailer", [b"", b";", b"\x00GIF89a", b","])
def test_what_follows_the_last_whole_frame_of_a_gif_adds_none(trailer: bytes) -> None:
    assert read_structure(flickering_gif(3, trailer=trailer), Format.GIF) == Structure(1, 1, 3)


def test_local_palettes_and_extensions_of_a_gif_are_stepped_over() -> None:
    images = [image.convert("P") for image in (gradient(20, 10), gradient(20, 10, "L"))]
    data = animation(images, "GIF", 100)
    assert read_structure(data, Format.GIF) == Structure(20, 10, 2)


@pytest.mark.parametrize("length", [6, 10, 13])
def test_a_gif_without_frames_has_none(length: int) -> None:
    structure = read_structure(flickering_gif(1)[:length], Format.GIF)
    assert structure is not None
    assert structure.frames == 0


def test_a_simple_webp_is_left_to_its_decoder() -> None:
    assert read_structure(saved(gradient(20, 10), "WEBP"), Format.WEBP) is None


def test_an_extended_still_webp_has_one_frame() -> None:
    data = saved(gradient(20, 10), "WEBP", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00")
    assert read_structure(data, Format.WEBP) == Structure(20, 10, 1)


def test_a_cut_webp_is_damaged() -> None:
    with pytest.raises(ImageRejectedError, match="damaged"):
        read_structure(animation(rotating(3), "WEBP", 50)[:-9], Format.WEBP)


def test_an_image_sequence_is_not_taken() -> None:
    with pytest.raises(UnsupportedMediaError):
        read_structure(animation(rotating(3), "AVIF", 100), Format.AVIF)


def test_a_still_avif_is_left_to_its_decoder() -> None:
    assert read_structure(saved(gradient(20, 10), "AVIF"), Format.AVIF) is None


def test_a_jpeg_is_left_to_its_decoder() -> None:
    assert read_structure(saved(gradient(20, 10), "JPEG"), Format.JPEG) is None


def test_a_container_of_endless_blocks_is_given_up() -> None:
    data = png()
    endless = data[:33] + chunk(b"tEXt", b"") * 250_001 + data[33:]
    with pytest.raises(ImageRejectedError, match="damaged"):
        read_structure(endless, Format.PNG)
    comments = b"!\xfe\x00" * 250_001
    gif = flickering_gif(1)
    assert read_structure(gif[:-1] + comments + gif[19:], Format.GIF) == Structure(1, 1, 1)
