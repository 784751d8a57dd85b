"""What parent and child may say to each other."""

import json

import pytest

from emoji_gallery.media.catalogue import renditions
from emoji_gallery.media.errors import ImageRejectedError, Rejection, UnsupportedMediaError
from emoji_gallery.media.protocol import (
    LENGTH_BYTES,
    MAX_RESULT_BYTES,
    Answer,
    ChildFailedError,
    ProbeTask,
    ProtocolError,
    Ready,
    Rendering,
    RenderTask,
    Task,
    decode_answer,
    decode_task,
    encode_answer,
    encode_error,
    encode_task,
)
from emoji_gallery.media.types import Format, Limits, Probe

PROBE = Probe(Format.GIF, 300, 200, frames=3, duration_ms=240)


def body(message: bytes) -> bytes:
    assert int.from_bytes(message[:LENGTH_BYTES], "big") == len(message) - LENGTH_BYTES
    return message[LENGTH_BYTES:]


@pytest.mark.parametrize(
    "task",
    [
        ProbeTask(Format.AVIF, Limits(max_side=7)),
        RenderTask(PROBE, list(renditions(PROBE.shape).values())),
        RenderTask(Probe(Format.SVG, 1_024, 1_024), []),
    ],
)
def test_a_task_arrives_as_it_was_sent(task: Task) -> None:
    assert decode_task(body(encode_task(task))) == task


@pytest.mark.parametrize(
    "answer",
    [Ready(["limits", "calls"]), PROBE, Probe(Format.PNG, 1, 2), Rendering([0, 5, 1_000])],
)
def test_an_answer_arrives_as_it_was_sent(answer: Answer) -> None:
    assert decode_answer(body(encode_answer(answer))) == answer


@pytest.mark.parametrize(
    ("limit", "actual"),
    [(None, None), (1_000, 10_000)],
)
def test_a_refusal_arrives_with_its_numbers(limit: int | None, actual: int | None) -> None:
    error = ImageRejectedError(Rejection.TOO_MANY_FRAMES, limit=limit, actual=actual)
    with pytest.raises(ImageRejectedError) as arrived:
        decode_answer(body(encode_error(error)))
    assert vars(arrived.value) == vars(error)


def test_an_unsupported_variant_arrives() -> None:
    with pytest.raises(UnsupportedMediaError, match="animated AVIF"):
        decode_answer(body(encode_error(UnsupportedMediaError("animated AVIF"))))


def test_a_failure_of_the_child_arrives_in_short() -> None:
    with pytest.raises(ChildFailedError, match="KeyError"):
        decode_answer(body(encode_error(KeyError("x" * 100_000))))


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"answer": "Root"}',
        b'{"answer": "Probe", "format": "png"}',
        b'{"answer": "Probe", "format": "exe", "width": 1, "height": 1, "frames": 1}',
        json.dumps({"answer": "Rendering", "sizes": [MAX_RESULT_BYTES, 1]}).encode(),
        b'{"answer": "Rendering", "sizes": [-1]}',
        b'{"answer": "Rendering", "sizes": [1.5]}',
        b'{"answer": "Rendering", "sizes": [true]}',
        b'{"answer": "Rendering", "sizes": 3}',
        b'{"answer": "rejected", "reason": "mood", "limit": null, "actual": null}',
        b'{"answer": "rejected", "reason": "damaged", "limit": "1", "actual": 2}',
    ],
)
def test_nothing_else_is_believed_of_a_child(told: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_answer(told)
