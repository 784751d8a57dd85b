"""Which renditions a picture has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.media.catalogue import LISTED, SIZES, fit, is_known, listed, renditions
from emoji_gallery.media.types import Format, Probe, Shape

sides = st.integers(min_value=1, max_value=5_000)


def sizes(shape: Shape, extension: str) -> dict[str, tuple[int, int]]:
    return {
        name: (spec.width, spec.height)
        for name, spec in renditions(shape).items()
        if spec.extension == extension
    }


def test_a_small_raster_is_served_as_it_is_by_the_first_size_that_holds_it() -> None:
    assert sizes(Shape(100, 50), "webp") == {"64.webp": (64, 32), "128.webp": (100, 50)}
    assert list(renditions(Shape(40, 40))) == ["64.webp", "64.png"]


def test_a_raster_of_exactly_a_size_ends_there() -> None:
    assert list(sizes(Shape(128, 3), "png")) == ["64.png", "128.png"]
    assert sizes(Shape(128, 3), "png")["64.png"] == (64, 2)


def test_a_large_raster_has_every_size_and_no_more() -> None:
    assert list(sizes(Shape(4_096, 2_048), "webp")) == [f"{size}.webp" for size in SIZES]
    assert sizes(Shape(4_096, 2_048), "webp")["1024.webp"] == (1_024, 512)


def test_a_vector_has_every_size_drawn_to_its_edge() -> None:
    square = renditions(Shape(1_024, 1_024, vector=True))
    assert {f"{s}.{e}" for s in SIZES for e in ("webp", "png")} | {"512.avif"} == set(square)
    assert (square["256.png"].width, square["256.png"].height) == (256, 256)


def test_only_stills_have_avif_and_only_animations_have_gif() -> None:
    still, moving = renditions(Shape(600, 600)), renditions(Shape(600, 600, animated=True))
    assert "512.avif" in still
    assert not any(name.endswith("gif") for name in still)
    assert {"256.gif", "512.gif"} <= set(moving)
    assert "512.avif" not in moving


def test_webp_and_gif_move_and_png_is_the_poster() -> None:
    moving = renditions(Shape(300, 300, animated=True))
    assert {name for name, spec in moving.items() if spec.animated} == {
        *("64.webp", "128.webp", "256.webp", "512.webp"),
        *("256.gif", "512.gif"),
    }


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("64.webp", "image/webp"),
        ("64.png", "image/png"),
        ("512.avif", "image/avif"),
    ],
)
def test_types_follow_the_extension(name: str, content_type: str) -> None:
    assert renditions(Shape(1_024, 1_024, vector=True))[name].content_type == content_type


def test_lists_carry_those_of_their_three_that_exist() -> None:
    assert tuple(listed(Shape(1_024, 1_024, vector=True))) == LISTED
    assert tuple(listed(Shape(100, 100))) == ("64.webp", "128.webp")


@pytest.mark.parametrize("name", ["64.webp", "1024.png", "256.gif", "512.avif"])
def test_names_of_the_catalogue_are_known(name: str) -> None:
    assert is_known(name)


@pytest.mark.parametrize("name", ["63.webp", "128.gif", "256.avif", "512.jpg", "512", "../a", ""])
def test_other_names_are_unknown(name: str) -> None:
    assert not is_known(name)


@given(width=sides, height=sides, animated=st.booleans())
def test_no_raster_is_enlarged_or_distorted(width: int, height: int, animated: bool) -> None:
    for spec in renditions(Shape(width, height, animated=animated)).values():
        assert spec.width <= width
        assert spec.height <= height
        assert abs(spec.width * height - spec.height * width) <= max(width, height)
        assert is_known(spec.name)


@given(width=sides, height=sides, size=st.sampled_from(SIZES))
def test_fitting_touches_the_square_from_within(width: int, height: int, size: int) -> None:
    fitted = fit(width, height, size)
    assert max(fitted) == size
    assert min(fitted) >= 1


def test_a_probe_knows_its_shape() -> None:
    assert Probe(Format.GIF, 4, 3, frames=2, duration_ms=200).shape == Shape(4, 3, animated=True)
    assert Probe(Format.SVG, 1_024, 512).shape == Shape(1_024, 512, vector=True)
    assert Probe(Format.GIF, 4, 3).shape == Shape(4, 3)
