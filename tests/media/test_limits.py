"""Bounds on a raster's headers."""

import pytest

from emoji_gallery.media.errors import ImageRejectedError, Rejection
from emoji_gallery.media.limits import check_limits
from emoji_gallery.media.types import Limits


def test_a_picture_at_every_limit_passes() -> None:
    limits = Limits(max_side=100, max_frame_pixels=5_000, max_frames=3, max_total_pixels=15_000)
    check_limits(limits, width=100, height=50, frames=3)


@pytest.mark.parametrize(
    ("width", "height", "frames", "reason", "limit", "actual"),
    [
        (4_097, 1, 1, Rejection.DIMENSIONS_TOO_LARGE, 4_096, 4_097),
        (1, 40_000, 1, Rejection.DIMENSIONS_TOO_LARGE, 4_096, 40_000),
        (4_096, 4_096, 1, None, 0, 0),
        (1, 1, 1_001, Rejection.TOO_MANY_FRAMES, 1_000, 1_001),
        (1_000, 1_000, 51, Rejection.ANIMATION_TOO_LARGE, 50_000_000, 51_000_000),
    ],
)
def test_the_first_limit_that_is_passed_is_named(
    width: int, height: int, frames: int, reason: Rejection | None, limit: int, actual: int
) -> None:
    if reason is None:
        check_limits(Limits(), width=width, height=height, frames=frames)
        return
    with pytest.raises(ImageRejectedError) as refusal:
        check_limits(Limits(), width=width, height=height, frames=frames)
    assert refusal.value.reason is reason
    assert (refusal.value.limit, refusal.value.actual) == (limit, actual)


def test_a_tier_may_allow_fewer_pixels_a_frame() -> None:
    with pytest.raises(ImageRejectedError, match="too_many_pixels") as refusal:
        check_limits(Limits(max_frame_pixels=99), width=10, height=10, frames=1)
    assert (refusal.value.limit, refusal.value.actual) == (99, 100)


@pytest.mark.parametrize("size", [(0, 5, 1), (5, 0, 1), (5, 5, 0)])
def test_nothing_at_all_is_damaged(size: tuple[int, int, int]) -> None:
    with pytest.raises(ImageRejectedError, match="damaged"):
        check_limits(Limits(), width=size[0], height=size[1], frames=size[2])
