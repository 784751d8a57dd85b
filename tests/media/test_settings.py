"""What an operator sets is what children are held to."""

import pytest

from emoji_gallery.media.pool import Bounds
from emoji_gallery.media.settings import RendererSettings
from emoji_gallery.media.watch import Allowance


def test_the_defaults_are_those_of_the_renderer() -> None:
    assert RendererSettings().bounds() == Bounds()


def test_every_number_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("RENDER_CHILDREN", "3"),
        ("RENDER_PROCESSOR_SECONDS", "4.5"),
        ("RENDER_SECONDS", "6"),
        ("RENDER_MEMORY_MIB", "256"),
        ("RENDER_QUEUE_SECONDS", "7"),
    ):
        monkeypatch.setenv(name, value)
    assert RendererSettings().bounds() == Bounds(
        children=3,
        allowance=Allowance(seconds=6, processor_seconds=4.5, memory_bytes=256 * 1024 * 1024),
        queue_seconds=7,
    )
