"""Sizes that an SVG states."""

import pytest

from emoji_gallery.media.svg_size import stated_size


@pytest.mark.parametrize(
    ("root", "size"),
    [
        ({"viewBox": "0 0 72 36"}, (72, 36)),
        ({"viewBox": "-5,-5, 7.5 .5e1"}, (7.5, 5)),
        ({"width": "100", "height": "50px"}, (100, 50)),
        ({"width": " 100 ", "height": "50", "viewBox": "0 0 1 1"}, (100, 50)),
        ({"width": "100%", "height": "auto", "viewBox": "0 0 3 2"}, (3, 2)),
        ({"width": "30", "viewBox": "0 0 3 2"}, (30, 20)),
        ({"height": "20", "viewBox": "0 0 3 2"}, (30, 20)),
    ],
)
def test_plain_numbers_are_read(root: dict[str, str], size: tuple[float, float]) -> None:
    assert stated_size(root) == size


@pytest.mark.parametrize(
    "root",
    [
        {},
        {"width": "10mm", "height": "10mm"},
        {"width": "50%", "height": "20%", "viewBox": "0 0 3 2"},
        {"width": "100"},
        {"width": "0", "height": "5"},
        {"width": "-1", "height": "5"},
        {"width": "1e999", "height": "5"},
        {"viewBox": "0 0 0 0"},
        {"viewBox": "0 0 10"},
        {"viewBox": "0 0 ten ten"},
        {"width": "2em", "viewBox": "0 0 3 2"},
    ],
)
def test_anything_else_is_left_to_the_library(root: dict[str, str]) -> None:
    assert stated_size(root) is None
