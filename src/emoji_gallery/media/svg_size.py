"""Reads the size that an SVG's root states in plain numbers."""

import re
from collections.abc import Mapping
from typing import Final

_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LENGTH: Final = re.compile(rf"\s*({_NUMBER})(?:px)?\s*")
_VIEW_BOX: Final = re.compile(rf"\s*{_NUMBER}[\s,]+{_NUMBER}[\s,]+({_NUMBER})[\s,]+({_NUMBER})\s*")
_UNSTATED: Final = frozenset({"", "auto", "100%"})


def stated_size(root: Mapping[str, str]) -> tuple[float, float] | None:
    """Answer width and height in pixels; a side that is left out follows the view box's aspect.

    None where the root says it in another unit, as a share of what surrounds it, or not at all:
    the drawing library then decides.
    """
    width, height = root.get("width", "").strip(), root.get("height", "").strip()
    box = _VIEW_BOX.fullmatch(root.get("viewBox", ""))
    if width not in _UNSTATED and height not in _UNSTATED:
        return _positive(_length(width), _length(height))
    if box is None:
        return None
    box_size = _positive(float(box.group(1)), float(box.group(2)))
    if box_size is None or (width in _UNSTATED and height in _UNSTATED):
        return box_size
    aspect = box_size[0] / box_size[1]
    if height in _UNSTATED:
        return _positive(_length(width), _length(width) / aspect)
    return _positive(_length(height) * aspect, _length(height))


def _length(text: str) -> float:
    found = _LENGTH.fullmatch(text)
    return float(found.group(1)) if found else 0.0


def _positive(width: float, height: float) -> tuple[float, float] | None:
    usable = 0 < width < float("inf") and 0 < height < float("inf")
    return (width, height) if usable else None
