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


# What may stand before the root element: XML declaration and processing instructions, comments,
# white space, and one document type, whose internal subset holds no `]` but in a literal. Each
# alternative begins with another character and runs to a fixed end, so that no head can make the
# match slow.
_PROLOG: Final = re.compile(
    r"""(?: \s+
        | <\?  (?: [^?] | \?(?!>) )*+  \?>
        | <!-- (?: [^-] | -(?!->) )*+ -->
        | <!DOCTYPE\s (?: [^\[>"'] | "[^"]*+" | '[^']*+' )*+
              (?: \[ (?: [^\]"'] | "[^"]*+" | '[^']*+' )*+ \] \s*+ )?+ >
        )*+""",
    re.VERBOSE,
)
_SVG_ROOT: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*+:)?svg[\s/>]")


def _is_svg(head: bytes) -> bool:
    text = _decode(head)
    root = _PROLOG.match(text)
    return root is not None and _SVG_ROOT.match(text, root.end()) is not None


def _decode(head: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, errors="replace")
    return head.decode("utf-8", errors="replace")
