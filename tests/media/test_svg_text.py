"""Characters of an SVG, whatever it is encoded in."""

import pytest

from emoji_gallery.media.errors import ImageRejectedError
from emoji_gallery.media.svg_text import to_utf8

TEXT = "<svg><title>café</title></svg>"


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("", "utf-8"),
        ("<?xml version='1.0'?>", "utf-8"),
        ('<?xml version="1.0" encoding="UTF-8" standalone="no"?>', "utf-8"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?>", "latin-1"),
        ('<?xml version="1.0" encoding="windows-1252"?>', "cp1252"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-16"),
        ("<?xml version='1.0'?>", "utf-8-sig"),
    ],
)
def test_text_comes_out_as_plain_utf8(declared: str, codec: str) -> None:
    assert to_utf8((declared + TEXT).encode(codec)) == TEXT.encode()


def test_a_byte_order_mark_outweighs_the_declaration() -> None:
    declared = b"<?xml version='1.0' encoding='ISO-8859-1'?>"
    assert to_utf8(b"\xef\xbb\xbf" + declared + TEXT.encode()) == TEXT.encode()


def test_instructions_that_are_not_the_declaration_stay() -> None:
    text = b"<?xml-stylesheet href='a'?><svg/>"
    assert to_utf8(text) == text


@pytest.mark.parametrize(
    "data",
    [
        b"<svg>\xff</svg>",
        b"<?xml version='1.0' encoding='utf-16'?><svg/>",
        b"\xff\xfe<",
        b"<?xml version='1.0' encoding='UTF-7'?><svg/>",
        b"<?xml version='1.0' encoding='ebcdic-cp-us'?><svg/>",
    ],
)
def test_text_that_is_not_what_it_says_is_damaged(data: bytes) -> None:
    with pytest.raises(ImageRejectedError, match="damaged"):
        to_utf8(data)
