"""The public door, with real children behind it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from typing_extensions import override

from emoji_gallery.media import raster
from emoji_gallery.media.catalogue import LISTED, listed, renditions
from emoji_gallery.media.errors import (
    ImageRejectedError,
    Rejection,
    RendererUnavailableError,
    UnknownRenditionError,
    UnsupportedMediaError,
)
from emoji_gallery.media.pool import Bounds, Pool
from emoji_gallery.media.process import Family
from emoji_gallery.media.protocol import Answer, Rendering, Task
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.media.turnstile import Priority
from emoji_gallery.media.types import Format, Limits, Probe
from tests.media.pictures import (
    animated_png,
    animation,
    flickering_gif,
    gradient,
    huge_png,
    opened,
    png,
    rotating,
    saved,
    svg,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def renderer() -> AsyncIterator[Renderer]:
    async with Renderer(Bounds(children=2)) as renderer:
        yield renderer


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (png(100, 50), Probe(Format.PNG, 100, 50)),
        (saved(gradient(100, 50), "JPEG"), Probe(Format.JPEG, 100, 50)),
        (saved(gradient(100, 50), "AVIF"), Probe(Format.AVIF, 100, 50)),
        (animation(rotating(3), "GIF", 50), Probe(Format.GIF, 40, 30, 3, 150)),
        (animation(rotating(3), "WEBP", 50), Probe(Format.WEBP, 40, 30, 3, 150)),
        (svg(), Probe(Format.SVG, 1_024, 1_024)),
    ],
)
async def test_every_format_is_probed_and_rendered(
    renderer: Renderer, source: bytes, expected: Probe, tmp_path: Path
) -> None:
    path = tmp_path / "misleading.txt"
    path.write_bytes(source)
    assert await renderer.probe(path, limits=Limits()) == expected
    wanted = listed(expected.shape)
    made = await renderer.render(path, expected, list(wanted))
    assert list(made) == list(wanted)
    for name, one in made.items():
        assert (one.name, one.content_type) == (name, "image/webp")
        assert opened(one.data).size == (one.width, one.height)
        assert opened(one.data).format == "WEBP"
    assert (await renderer.render(source, expected, list(wanted))) == made


async def test_all_types_come_with_their_content_type(renderer: Renderer) -> None:
    source, moving = svg(), animation(rotating(2, (300, 200)), "WEBP", 50)
    still = await renderer.render(source, Probe(Format.SVG, 1_024, 1_024), ["512.avif", "64.png"])
    assert {name: one.content_type for name, one in still.items()} == {
        "512.avif": "image/avif",
        "64.png": "image/png",
    }
    probe = await renderer.probe(moving, limits=Limits())
    gif = await renderer.render(moving, probe, ["256.gif"], priority=Priority.MISS)
    assert gif["256.gif"].content_type == "image/gif"
    assert opened(gif["256.gif"].data).format == "GIF"


@pytest.mark.parametrize(
    ("source", "reason", "limit", "actual"),
    [
        (b"", Rejection.EMPTY, None, None),
        (png()[:-30], Rejection.DAMAGED, None, None),
        (flickering_gif(0), Rejection.DAMAGED, None, None),
        (b"\xff\xd8\xff\xe0" + bytes(100), Rejection.DAMAGED, None, None),
        (huge_png(40_000), Rejection.DIMENSIONS_TOO_LARGE, 4_096, 40_000),
        (flickering_gif(10_000), Rejection.TOO_MANY_FRAMES, 1_000, 10_000),
        (svg("<script/>"), Rejection.UNSAFE_SVG, None, None),
        (svg("<g>"), Rejection.DAMAGED, None, None),
    ],
)
async def test_bad_sources_are_refused_with_their_reason(
    renderer: Renderer, source: bytes, reason: Rejection, limit: int | None, actual: int | None
) -> None:
    with pytest.raises(ImageRejectedError) as refusal:
        await renderer.probe(source, limits=Limits())
    assert refusal.value.reason is reason
    assert (refusal.value.limit, refusal.value.actual) == (limit, actual)


@pytest.mark.parametrize("source", [b"GIF", b"%PDF-1.7", b"<html/>", animated_png()])
async def test_what_is_not_taken_is_unsupported(renderer: Renderer, source: bytes) -> None:
    with pytest.raises(UnsupportedMediaError):
        await renderer.probe(source, limits=Limits())


async def test_a_file_past_all_measure_is_refused_unread(
    renderer: Renderer, tmp_path: Path
) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.write(png())
        file.truncate(64 * 1_024 * 1_024 + 1)
    with pytest.raises(ImageRejectedError, match="file_too_large") as refusal:
        await renderer.probe(path, limits=Limits())
    assert refusal.value.actual == 64 * 1_024 * 1_024 + 1


async def test_damage_that_headers_do_not_show_is_found_by_rendering(renderer: Renderer) -> None:
    whole = saved(gradient(200, 150), "JPEG")
    source = whole[: len(whole) * 3 // 4]
    probe = await renderer.probe(source, limits=Limits())
    with pytest.raises(ImageRejectedError, match="damaged"):
        await renderer.render(source, probe, ["64.webp"])


async def test_a_name_that_the_picture_does_not_have_is_unknown(renderer: Renderer) -> None:
    with pytest.raises(UnknownRenditionError, match=r"256\.webp"):
        await renderer.render(png(), Probe(Format.PNG, 100, 50), ["64.webp", "256.webp"])


async def test_no_names_make_nothing(renderer: Renderer) -> None:
    assert await renderer.render(png(), Probe(Format.PNG, 100, 50), []) == {}


async def test_a_large_source_comes_out_the_same_in_parts(renderer: Renderer) -> None:
    source, probe = png(2_100, 2_000), Probe(Format.PNG, 2_100, 2_000)
    made = await renderer.render(source, probe, LISTED)
    specs = renditions(probe.shape)
    at_once = raster.render(source, probe, [specs[name] for name in LISTED])
    assert [one.data for one in made.values()] == at_once


async def test_a_child_outlives_refusals(renderer: Renderer) -> None:
    await renderer.probe(png(), limits=Limits())
    children = {child for pool in renderer._pools.values() for child in pool._live}
    for source in (png()[:-30], animated_png(), svg("<script/>"), flickering_gif(0)):
        with pytest.raises((ImageRejectedError, UnsupportedMediaError)):
            await renderer.probe(source, limits=Limits())
    assert {child for pool in renderer._pools.values() for child in pool._live} == children


async def test_many_at_once_share_few_children(renderer: Renderer) -> None:
    sources = [png(10 + number, 10) for number in range(40)]
    probes = await asyncio.gather(*(renderer.probe(one, limits=Limits()) for one in sources))
    assert [probe.width for probe in probes] == list(range(10, 50))
    assert all(len(pool._live) <= 2 for pool in renderer._pools.values())


async def test_children_are_locked_in(renderer: Renderer) -> None:
    assert {"limits", "calls"} <= renderer.measures


class Liar(Pool):
    """A pool whose children say what a test tells them to."""

    answer: Answer = Rendering([])
    blobs: Sequence[bytes] = ()

    @override
    async def run(
        self, task: Task, source: int, priority: Priority
    ) -> tuple[Answer, Sequence[bytes]]:
        return self.answer, self.blobs


async def test_children_are_not_believed() -> None:
    renderer, liar = Renderer(), Liar(Family.RASTER, Bounds())
    renderer._pools[Family.RASTER] = liar
    with pytest.raises(ImageRejectedError, match="crashed"):
        await renderer.probe(png(), limits=Limits())
    for blobs in ([], [png(), png()], [b"<script>"]):
        liar.blobs = blobs
        with pytest.raises(ImageRejectedError, match="crashed"):
            await renderer.render(png(), Probe(Format.PNG, 100, 50), ["64.webp"])


async def test_a_renderer_that_is_not_started_is_unavailable() -> None:
    with pytest.raises(RendererUnavailableError, match="stopped"):
        await Renderer().probe(png(), limits=Limits())
    assert Renderer().measures == frozenset()


async def test_a_child_that_does_not_come_up_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RendererUnavailableError, match="does not start"):
        async with Renderer():
            pass
    monkeypatch.setattr(sys, "executable", "/does/not/exist")
    with pytest.raises(OSError, match="exist"):
        async with Renderer():
            pass
