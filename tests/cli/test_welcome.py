from __future__ import annotations

from emoji_gallery.cli.welcome import SAMPLE, welcome


def test_without_tokens_of_our_own_only_the_address_is_shown() -> None:
    text = welcome(url="http://127.0.0.1:8000", tokens={})
    assert "http://127.0.0.1:8000/docs" in text
    assert "curl" not in text


def test_sample_is_a_small_picture() -> None:
    content = SAMPLE.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < 10_000
