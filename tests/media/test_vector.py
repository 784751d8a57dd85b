"""Measuring and drawing SVG."""

import asyncio
import base64
from pathlib import Path

import pytest
from PIL import Image

from emoji_gallery.media import vector
from emoji_gallery.media.catalogue import renditions
from emoji_gallery.media.errors import ImageRejectedError
from emoji_gallery.media.types import Format, Limits, Probe, Shape
from tests.media.pictures import SVG_OPEN, opened, png, psnr, saved, svg


def probed(document: bytes | str) -> Probe:
    data = document.encode() if isinstance(document, str) else document
    return vector.probe(data, Format.SVG, Limits())


def drawn(document: bytes, name: str = "64.png") -> Image.Image:
    probe = probed(document)
    return opened(vector.render(document, probe, [renditions(probe.shape)[name]])[0])


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('viewBox="0 0 72 72"', (1_024, 1_024)),
        ('viewBox="0 0 2 1"', (1_024, 512)),
        ('viewBox="0 0 3 4"', (768, 1_024)),
        ('width="10" height="5"', (1_024, 512)),
        ('width="1000000" height="500000"', (1_024, 512)),
        ('width="100mm" height="50mm"', (1_024, 512)),
        ('width="10in" height="5in" viewBox="0 0 10 5"', (1_024, 512)),
        ('width="10em" height="5em"', (1_024, 512)),
        ('width="100%" height="100%" viewBox="0 0 10 5"', (1_024, 512)),
        ('width="40" viewBox="0 0 10 5"', (1_024, 512)),
        ('style="width:40px;height:20px" viewBox="0 0 10 10"', (1_024, 512)),
        ('viewBox="0 0 1000 1"', (1_024, 1)),
    ],
)
def test_the_aspect_is_fitted_into_the_reference_size(
    attributes: str, size: tuple[int, int]
) -> None:
    assert probed(f"{SVG_OPEN} {attributes}/>") == Probe(Format.SVG, *size)


def test_a_picture_without_any_size_is_as_large_as_what_it_draws() -> None:
    document = f'{SVG_OPEN}><rect x="0" y="0" width="100" height="50"/></svg>'
    assert probed(document) == Probe(Format.SVG, 1_024, 512)


@pytest.mark.parametrize(
    "document",
    [
        f"{SVG_OPEN}/>",
        f'{SVG_OPEN} width="0" height="5"/>',
        f'{SVG_OPEN} viewBox="0 0 0 0"/>',
    ],
)
def test_a_picture_of_no_size_is_refused(document: str) -> None:
    with pytest.raises(Exception, match="bad dimensions"):
        probed(document)


def test_limits_of_pixels_do_not_touch_a_vector() -> None:
    assert vector.probe(svg(), Format.SVG, Limits(1, 1, 1, 1)) == Probe(Format.SVG, 1_024, 1_024)


@pytest.mark.parametrize(
    "attributes",
    [
        'viewBox="0 0 71.3 13.77"',
        'width="10in" height="5in" viewBox="0 0 10 5"',
        'width="3mm" height="2mm" viewBox="0 0 3 2"',
        'width="1000000" height="300000" viewBox="0 0 10 3"',
    ],
)
def test_every_rendition_has_exactly_its_size_and_is_filled(attributes: str) -> None:
    body = '<rect x="-9" y="-9" width="9999" height="9999" fill="#00f"/>'
    document = f"{SVG_OPEN} {attributes}>{body}</svg>".encode()
    probe = probed(document)
    specs = list(renditions(probe.shape).values())
    for spec, data in zip(specs, vector.render(document, probe, specs), strict=True):
        image = opened(data).convert("RGBA")
        assert image.size == (spec.width, spec.height)
        red, green, blue, alpha = image.getpixel((spec.width // 2, spec.height // 2))  # type: ignore[misc]
        assert max(red, green) < 5
        assert min(blue, alpha) > 250


def test_drawing_is_sharp_at_every_size() -> None:
    half = svg('<rect width="5" height="10" fill="red"/>')
    for name, size in (("64.png", 64), ("1024.png", 1_024)):
        image = drawn(half, name).convert("RGBA")
        assert image.getpixel((size // 2 - 1, 5)) == (255, 0, 0, 255)
        assert image.getpixel((size // 2, 5)) == (0, 0, 0, 0)


def test_the_same_document_is_drawn_the_same() -> None:
    document = svg('<circle cx="5" cy="5" r="4" fill="url(#g)"/><text y="5">hi</text>')
    probe = probed(document)
    specs = list(renditions(probe.shape).values())
    alone = [vector.render(document, probe, [spec])[0] for spec in specs]
    assert vector.render(document, probe, specs) == alone


def test_pictures_inside_the_document_are_drawn() -> None:
    inner = base64.b64encode(saved(Image.new("RGB", (4, 4), (0, 255, 0)), "PNG")).decode()
    body = f'<image width="10" height="10" href="data:image/png;base64,{inner}"/>'
    assert drawn(svg(body)).convert("RGBA").getpixel((30, 30)) == (0, 255, 0, 255)


def test_an_unsafe_document_is_refused_by_probe_and_by_render() -> None:
    unsafe = svg('<image href="http://example.test/a.png"/>')
    with pytest.raises(ImageRejectedError, match="unsafe_svg"):
        probed(unsafe)
    with pytest.raises(ImageRejectedError, match="unsafe_svg"):
        vector.render(unsafe, Probe(Format.SVG, 64, 64), [])


async def test_the_library_itself_fetches_nothing_and_reads_no_file(tmp_path: Path) -> None:
    connections: list[object] = []
    server = await asyncio.start_server(lambda *ends: connections.append(ends), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    beside = tmp_path / "beside.png"
    beside.write_bytes(png(10, 10))
    blank = drawn(svg(""))
    for reference in (f"http://127.0.0.1:{port}/a.png", str(beside), f"file://{beside}"):
        body = (
            f'<image width="10" height="10" href="{reference}" xlink:href="{reference}"/>'
            f'<style>@import "{reference}";</style><rect fill="url({reference}#a)"/>'
        )
        document = vector._Document(svg(body), 10, 10)
        image = await asyncio.to_thread(vector._draw, document, 64, 64)
        assert psnr(opened(image.pngsave_buffer()), blank) == 99
    assert not connections
    server.close()
    await server.wait_closed()


def test_a_shape_of_a_vector_has_all_sizes() -> None:
    assert "1024.png" in renditions(Shape(1_024, 3, vector=True))
