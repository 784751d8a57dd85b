"""What parent and child say to each other: a length, a JSON head, and after an answer its bytes.

The child is not trusted, so the parent reads numbers and known words only, and bounds each length.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

from emoji_gallery.media.catalogue import RenditionSpec
from emoji_gallery.media.errors import ImageRejectedError, Rejection, UnsupportedMediaError
from emoji_gallery.media.types import Format, Limits, Probe

LENGTH_BYTES: Final = 4
MAX_HEAD_BYTES: Final = 64 * 1_024
MAX_RESULT_BYTES: Final = 64 * 1_024 * 1_024
MAX_SOURCE_BYTES: Final = 64 * 1_024 * 1_024


class ProtocolError(Exception):
    """The other side said something that the protocol does not know."""


class ChildFailedError(Exception):
    """The child met an error of its own, not one of the picture's."""


@dataclass(frozen=True, slots=True)
class ProbeTask:
    """Measure the source that comes with this message."""

    format: Format
    limits: Limits


@dataclass(frozen=True, slots=True)
class RenderTask:
    """Make these renditions of the source that comes with this message."""

    probe: Probe
    specs: Sequence[RenditionSpec]


Task: TypeAlias = ProbeTask | RenderTask


@dataclass(frozen=True, slots=True)
class Ready:
    """A child's first word: which measures of its sandbox are in force."""

    measures: Sequence[str]


@dataclass(frozen=True, slots=True)
class Rendering:
    """The head of a finished RenderTask; the renditions' bytes follow in the order asked for."""

    sizes: Sequence[int]


Answer: TypeAlias = Ready | Probe | Rendering


def encode_task(task: Task) -> bytes:
    """Write a task with its length in front."""
    kind = "probe" if isinstance(task, ProbeTask) else "render"
    return _framed({"task": kind, **asdict(task)})


def decode_task(head: bytes) -> Task:
    """Read a task, in the child."""
    told = json.loads(head)
    if told.pop("task") == "probe":
        return ProbeTask(Format(told["format"]), Limits(**told["limits"]))
    probe = Probe(**{**told["probe"], "format": Format(told["probe"]["format"])})
    return RenderTask(probe, [RenditionSpec(**spec) for spec in told["specs"]])


def encode_answer(answer: Answer) -> bytes:
    """Write the head of an answer with its length in front."""
    return _framed({"answer": type(answer).__name__, **asdict(answer)})


def encode_error(error: Exception) -> bytes:
    """Write why there is no result."""
    if isinstance(error, ImageRejectedError):
        numbers = {"limit": error.limit, "actual": error.actual}
        return _framed({"answer": "rejected", "reason": error.reason, **numbers})
    if isinstance(error, UnsupportedMediaError):
        return _framed({"answer": "unsupported", "detail": str(error)[:200]})
    return _framed({"answer": "failed", "detail": repr(error)[:1_000]})


def decode_answer(head: bytes) -> Answer:
    """Read an answer's head in the parent.

    Raises what the child reports: ImageRejectedError, UnsupportedMediaError or ChildFailedError;
    ProtocolError for anything else.
    """
    try:
        told = json.loads(head)
        kind = told["answer"]
        if kind == "Ready":
            return Ready([str(name) for name in told["measures"]])
        if kind == "Probe":
            return _read_probe(told)
        if kind == "Rendering":
            return Rendering(_read_sizes(told["sizes"]))
        error = _read_error(kind, told)
    except (ValueError, TypeError, LookupError) as malformed:
        raise ProtocolError(repr(head[:200])) from malformed
    raise error


def _read_probe(told: Mapping[str, object]) -> Probe:
    return Probe(
        format=Format(str(told["format"])),
        width=_count(told["width"]),
        height=_count(told["height"]),
        frames=_count(told["frames"]),
        duration_ms=None if told["duration_ms"] is None else _count(told["duration_ms"]),
    )


def _read_sizes(told: Sequence[object]) -> list[int]:
    sizes = [_count(size) for size in told]
    if sum(sizes) > MAX_RESULT_BYTES:
        raise ValueError("the result is too large")
    return sizes


def _read_error(kind: object, told: Mapping[str, object]) -> Exception:
    if kind == "rejected":
        limit, actual = told["limit"], told["actual"]
        if limit is None or actual is None:
            return ImageRejectedError(Rejection(str(told["reason"])))
        return ImageRejectedError(
            Rejection(str(told["reason"])), limit=_count(limit), actual=_count(actual)
        )
    if kind == "unsupported":
        return UnsupportedMediaError(str(told["detail"]))
    if kind == "failed":
        return ChildFailedError(str(told["detail"]))
    raise ValueError("an unknown answer")


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def _framed(head: Mapping[str, object]) -> bytes:
    text = json.dumps(head).encode()
    return len(text).to_bytes(LENGTH_BYTES, "big") + text
