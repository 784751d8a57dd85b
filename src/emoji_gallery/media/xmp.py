"""The one thing that is read of XMP: which way up a picture is.

Cameras and editors say it in EXIF; some editors say it in XMP alone (Adobe's XMP specification,
part 2, `tiff:Orientation`), and what they show is turned accordingly.
"""

import re
from typing import Final

_MOST_BYTES: Final = 65_536
"""A packet states it near its beginning; a longer one is not searched to its end."""

_STATED: Final = re.compile(rb"""tiff:Orientation\s*(?:=\s*["']|>)\s*([1-8])\s*["'<]""")


def stated_orientation(packet: bytes) -> int:
    """The orientation that a packet states, counted 1 to 8 as in EXIF; 1 where it is silent."""
    found = _STATED.search(packet[:_MOST_BYTES])
    return int(found[1]) if found else 1
