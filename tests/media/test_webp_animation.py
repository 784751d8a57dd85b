"""Exact timing of WebP animations."""

import pytest
from PIL import Image

from emoji_gallery.media.webp_animation import STEP_MS, set_timing
from tests.media.pictures import animation, frame, gradient, opened, psnr, rotating, saved, timing


def encoded(frames: list[Image.Image], **options: object) -> bytes:
    """Frames as the encoder hands them over: equal delays, equal neighbours merged."""
    kept = [frames[0]]
    delays = [STEP_MS]
    for image in frames[1:]:
        if image.tobytes() == kept[-1].tobytes():
            delays[-1] += STEP_MS
        else:
            kept.append(image)
            delays.append(STEP_MS)
    if len(kept) == 1:
        return saved(kept[0], "WEBP", lossless=True, **options)
    return animation(kept, "WEBP", delays)


def test_delays_and_plays_are_written_as_they_are() -> None:
    data = set_timing(encoded(rotating(4)), delays=[0, 10, 15, 70_000], plays=3)
    assert timing(data) == ([0, 10, 15, 70_000], 3)


def test_frames_that_were_merged_come_back() -> None:
    one, two, three = rotating(3)
    frames = [one, one, two, three, three, three]
    data = set_timing(encoded(frames), delays=[10, 20, 30, 40, 50, 60], plays=0)
    assert timing(data) == ([10, 20, 30, 40, 50, 60], 0)
    for number, image in enumerate(frames):
        assert psnr(frame(data, number), image) == 99


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_equal_frames_that_became_a_still_move_again(mode: str) -> None:
    still = gradient(33, 17, mode)
    data = set_timing(encoded([still] * 3), delays=[100, 200, 300], plays=0)
    assert timing(data) == ([100, 200, 300], 0)
    assert psnr(frame(data, 2), still) == 99


def test_a_lossy_still_moves_again() -> None:
    for mode in ("RGB", "RGBA"):
        still = saved(gradient(33, 17, mode), "WEBP", quality=90)
        data = set_timing(still, delays=[100, 200], plays=1)
        assert timing(data) == ([100, 200], 1)
        assert psnr(frame(data, 1), opened(still)) == 99


def test_frames_that_do_not_add_up_are_an_error() -> None:
    with pytest.raises(ValueError, match="3 frames encoded for 4 delays"):
        set_timing(encoded(rotating(3)), delays=[1, 2, 3, 4], plays=0)


def test_what_holds_no_pixels_is_an_error() -> None:
    with pytest.raises(ValueError, match="without pixels"):
        set_timing(b"RIFF\x04\x00\x00\x00WEBP", delays=[1], plays=0)


def test_frames_without_their_header_are_an_error() -> None:
    data = encoded(rotating(2)).replace(b"VP8X", b"NOPE", 1)
    with pytest.raises(ValueError, match="extended header"):
        set_timing(data, delays=[1, 2], plays=0)
