"""Brings an SVG's text into one form, so that every parser after it reads the same characters."""

import re
from typing import Final

from emoji_gallery.media.errors import ImageRejectedError, Rejection

_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

ENCODINGS: Final = {
    "utf-8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
}
"""The declared encodings that are read without a byte order mark, and the codec of each."""

_DECLARATION: Final = re.compile(
    r"""\s*<\?xml\s [^?>]*? (?: encoding \s*=\s* (["']) (?P<encoding>[\w.-]+) \1 [^?>]*? )? \?>""",
    re.VERBOSE,
)


def to_utf8(data: bytes) -> bytes:
    """Decode by byte order mark, else by declaration, and drop both.

    Raises ImageRejectedError for text that is not what it says it is.
    """
    marked = next(((m, codec) for m, codec in _MARKS if data.startswith(m)), None)
    body = data[len(marked[0]) :] if marked else data
    codec = marked[1] if marked else _declared(body)
    try:
        text = body.decode(codec)
    except UnicodeDecodeError:
        raise ImageRejectedError(Rejection.DAMAGED) from None
    declaration = _DECLARATION.match(text)
    return (text[declaration.end() :] if declaration else text).encode()


def _declared(body: bytes) -> str:
    declaration = _DECLARATION.match(body[:200].decode("latin-1"))
    name = declaration.group("encoding") if declaration else None
    codec = ENCODINGS.get((name or "utf-8").lower())
    if codec is None:
        raise ImageRejectedError(Rejection.DAMAGED)
    return codec
