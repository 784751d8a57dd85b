"""Judges one outcome: the status, and what the renditions that came of it hold."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from PIL import Image, ImageOps, ImageSequence

from tests.corpus.manifest import Case

_MAX_SECONDS = 10.0
# Downscaling and lossy WebP leave this much mean difference (of 255) in an upright picture;
# a picture that is turned or mirrored differs by far more.
_ORIENTED_WITHIN = 24.0


@dataclass(frozen=True)
class Outcome:
    """What the service made of a file. `status` is the upload's, `state` the emoji's."""

    status: int
    state: str
    code: str
    reason: str
    seconds: float
    served: Mapping[str, bytes] = field(default_factory=dict)
    served_types: Mapping[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether the emoji can be used."""
        return self.state == "ready"


def complaints(case: Case, outcome: Outcome) -> Iterator[str]:
    """Everything that is wrong with an outcome; nothing for a right one."""
    if outcome.status >= 500:
        yield f"answered {outcome.status}"
    if outcome.seconds > _MAX_SECONDS:
        yield f"took {outcome.seconds:.1f} s"
    if outcome.state not in {"ready", "rejected", "refused"}:
        yield f"never ended: {outcome.state}"
    yield from _wrong_verdict(case, outcome)
    if outcome.accepted:
        yield from _wrong_renditions(case, outcome)


def _wrong_verdict(case: Case, outcome: Outcome) -> Iterator[str]:
    if case.expectation == "accept" and not outcome.accepted:
        if outcome.status == 415 and case.may_be_unsupported:
            return
        yield f"refused with {outcome.status} {outcome.code} {outcome.reason}"
    if case.expectation == "reject" and outcome.accepted:
        yield "accepted"


def _wrong_renditions(case: Case, outcome: Outcome) -> Iterator[str]:
    if not outcome.served:
        yield "is ready without a rendition"
    for name, data in outcome.served.items():
        with Image.open(io.BytesIO(data)) as image:
            yield from _wrong_rendition(case, name, image, outcome.served_types[name])
    poster = outcome.served.get("128.webp") or outcome.served.get("64.webp")
    if "orient" in case.postchecks and poster is not None:
        yield from _wrong_orientation(case, poster)


def _wrong_rendition(case: Case, name: str, image: Image.Image, served_type: str) -> Iterator[str]:
    if Image.MIME[image.format or ""] != served_type:
        yield f"{name} is {image.format}, served as {served_type}"
    if len(image.getexif()) or "exif" in image.info or "xmp" in image.info:
        yield f"{name} carries metadata"
    if "icc_profile" in image.info:
        yield f"{name} carries a colour profile"
    frames = getattr(image, "n_frames", 1)
    if "frames_kept" in case.postchecks and frames != case.frames:
        yield f"{name} has {frames} frames of {case.frames}"
    if "frames_kept" in case.postchecks and name.endswith(".webp"):
        yield from _wrong_duration(case, name, image)


def _wrong_duration(case: Case, name: str, image: Image.Image) -> Iterator[str]:
    with Image.open(case.path) as source:
        wanted, longest = _durations(source)
    found, _ = _durations(image)
    # Delays of 0 and 10 ms are shown as 100 ms by every browser, and are written so.
    if abs(found - wanted) > longest and wanted > 0:
        yield f"{name} lasts {found:.0f} ms of {wanted:.0f}"


def _durations(image: Image.Image) -> tuple[float, float]:
    each = []
    for frame in ImageSequence.Iterator(image):
        # Some of Pillow's readers know a frame's duration only once it is decoded.
        frame.load()
        each.append(float(frame.info.get("duration", 0)))
    shown = [100.0 if duration <= 10 else duration for duration in each]
    return sum(shown), max(shown)


def _wrong_orientation(case: Case, poster: bytes) -> Iterator[str]:
    with Image.open(case.path) as source, Image.open(io.BytesIO(poster)) as served:
        upright = ImageOps.exif_transpose(source).convert("RGB").resize(served.size)
        pairs = zip(upright.tobytes(), served.convert("RGB").tobytes(), strict=True)
        difference = sum(abs(a - b) for a, b in pairs) / (served.width * served.height * 3)
    if difference > _ORIENTED_WITHIN:
        yield f"is not upright (differs by {difference:.0f} of 255)"
