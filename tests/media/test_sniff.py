"""Formats by their bytes."""

import gzip

import pytest

from emoji_gallery.media.sniff import sniff
from emoji_gallery.media.types import Format
from tests.media.pictures import SVG_OPEN, animation, gradient, rotating, saved


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
def test_every_raster_that_is_taken_is_known_by_its_signature(kind: str) -> None:
    assert sniff(saved(gradient(20, 10), kind)) == Format(kind.lower())


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_animations_have_the_format_of_their_stills(kind: str) -> None:
    assert sniff(animation(rotating(2), kind, 100)) == Format(kind.lower())


def test_an_image_that_names_avif_among_its_compatible_brands_is_avif() -> None:
    assert sniff(b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf") is Format.AVIF


@pytest.mark.parametrize(
    "text",
    [
        "<svg/>",
        "<svg>",
        '\n  <?xml version="1.0"?>\n<svg xmlns="x">',
        "<!-- by an editor --><!----><svg ",
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "a>b"><svg>',
        "<!DOCTYPE svg [<!ENTITY a '>]'> <!ENTITY b \"]>\">]><svg>",
        '<?xml-stylesheet href="a.css"?><svg:svg xmlns:svg="y">',
    ],
)
def test_an_svg_is_known_whatever_stands_before_its_root(text: str) -> None:
    assert sniff(text.encode()) is Format.SVG


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_an_svg_with_a_byte_order_mark_is_known(codec: str) -> None:
    assert sniff(f"<?xml version='1.0'?>{SVG_OPEN}>".encode(codec)) is Format.SVG


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x89PNG",
        b"II*\x00aaaaaaaaaaaa",
        b"%PDF-1.7",
        b"BM\x00\x00\x00\x00",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
        b"\xff\x0a\xfa\x7f",
        b"\x00\x00\x01\x00\x01\x00",
        b"<html><svg></svg></html>",
        b"<!DOCTYPE html><html>",
        b"<svgfoo>",
        b"<!-- unfinished <svg>",
        b"plain <svg>",
        b'{"v":"5.5.2","fr":25}',
        gzip.compress(b"<svg/>", mtime=0),
    ],
)
def test_everything_else_is_unknown(head: bytes) -> None:
    assert sniff(head) is None


def test_a_head_made_to_confuse_is_looked_at_once() -> None:
    assert sniff(b"<!--" + b"-" * 4_000) is None
    assert sniff(b"<!DOCTYPE " + b"['\"" * 1_300) is None
    assert sniff(b"<?" + b"?" * 4_000) is None
