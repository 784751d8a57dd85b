"""Recognises a format by its first bytes, never by a name or a declared type."""

import re
from typing import Final

from emoji_gallery.media.types import Format

SNIFF_BYTES: Final = 4_096
"""How much of the head decides. The signatures need 32 bytes; an SVG may begin with comments."""

_AVIF_BRAND: Final = b"avif"
_AVIF_SEQUENCE_BRAND: Final = b"avis"


def sniff(head: bytes) -> Format | None:
    """Name the format whose signature the head carries; None for everything that is not taken.

    A signature says nothing about the rest: animated PNG and AVIF are told apart by the probe.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return Format.GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format.WEBP
    if _is_avif(head):
        return Format.AVIF
    return Format.SVG if _is_svg(head) else None


def _is_avif(head: bytes) -> bool:
    """Look for a still-image AVIF brand in the file type box (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] != b"ftyp":
        return False
    box = head[8 : min(int.from_bytes(head[:4], "big"), SNIFF_BYTES)]
    brands = [box[:4], *(box[at : at + 4] for at in range(8, len(box), 4))]
    return brands[0] in {_AVIF_BRAND, _AVIF_SEQUENCE_BRAND} or _AVIF_BRAND in brands


_SVG_ROOT: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?svg[\s/>]")
_DOCTYPE: Final = re.compile(r"<!DOCTYPE\s")


def _is_svg(head: bytes) -> bool:
    text = _decode(head)
    root = _root_of(text)
    return root is not None and _SVG_ROOT.match(text, root) is not None


def _root_of(text: str) -> int | None:
    """Where the root element begins; None where the head ends before it.

    Before it may stand white space, processing instructions (the XML declaration too), comments
    and a document type. Each is passed in one step: no head can make this slow.
    """
    at: int | None = 0
    while at is not None:
        at = _past_space(text, at)
        if text.startswith("<?", at):
            at = _past(text, "?>", at + 2)
        elif text.startswith("<!--", at):
            at = _past(text, "-->", at + 4)
        elif _DOCTYPE.match(text, at):
            at = _past_doctype(text, at)
        else:
            return at
    return None


def _past_doctype(text: str, at: int) -> int | None:
    """Past a document type, whose literals and internal subset may hold a `>`."""
    in_subset = False
    while at < len(text):
        character = text[at]
        if character in "\"'":
            closing = _past(text, character, at + 1)
            if closing is None:
                return None
            at = closing
            continue
        if character == ">" and not in_subset:
            return at + 1
        in_subset = character == "[" or (in_subset and character != "]")
        at += 1
    return None


def _past(text: str, end: str, at: int) -> int | None:
    found = text.find(end, at)
    return None if found < 0 else found + len(end)


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _decode(head: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, errors="replace")
    return head.decode("utf-8", errors="replace")
