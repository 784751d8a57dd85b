"""A child's loop, with one end of its line in the test's hand."""

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import pyvips

from emoji_gallery.media import child
from emoji_gallery.media.catalogue import RenditionSpec, renditions
from emoji_gallery.media.errors import ImageRejectedError, UnsupportedMediaError
from emoji_gallery.media.protocol import (
    LENGTH_BYTES,
    Answer,
    ChildFailedError,
    ProbeTask,
    Rendering,
    RenderTask,
    Task,
    decode_answer,
    encode_task,
)
from emoji_gallery.media.types import Format, Limits, Probe

PROBE = Probe(Format.PNG, 100, 50)
ASK_PROBE = ProbeTask(Format.PNG, Limits())
ASK_RENDER = RenderTask(PROBE, list(renditions(PROBE.shape).values()))


class Scripted:
    """A family of decoders that answers what a test tells it to."""

    error: Exception | None = None
    renditions: Sequence[bytes] = ()
    seen = b""

    def probe(self, data: bytes, _: Format, __: Limits) -> Probe:
        self.seen = data
        if self.error:
            raise self.error
        return PROBE

    def render(self, data: bytes, _: Probe, specs: Sequence[RenditionSpec]) -> list[bytes]:
        self.seen = data
        assert len(specs) == len(ASK_RENDER.specs)
        return list(self.renditions)


class Parent:
    """Asks a child that is a thread here."""

    def __init__(self, tmp_path: Path) -> None:
        self.family = Scripted()
        self.source = tmp_path / "source"
        self.source.write_bytes(b"the source")
        self.line, theirs = socket.socketpair()
        self.thread = threading.Thread(target=self._serve, args=(theirs,))
        self.thread.start()

    def _serve(self, line: socket.socket) -> None:
        with line:
            child.serve(line, self.family)

    def tell(self, task: Task) -> None:
        descriptor = os.open(self.source, os.O_RDONLY)
        socket.send_fds(self.line, [encode_task(task)], [descriptor])
        os.close(descriptor)

    def hear(self) -> Answer:
        return decode_answer(self.receive(int.from_bytes(self.receive(LENGTH_BYTES), "big")))

    def receive(self, length: int) -> bytes:
        return self.line.recv(length, socket.MSG_WAITALL)

    def hang_up(self) -> None:
        self.line.close()
        self.thread.join(timeout=10)
        assert not self.thread.is_alive()


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Parent]:
    parent = Parent(tmp_path)
    yield parent
    parent.hang_up()


def test_task_after_task_is_answered_until_the_line_closes(parent: Parent) -> None:
    for _ in range(3):
        parent.tell(ASK_PROBE)
        assert parent.hear() == PROBE
    assert parent.family.seen == b"the source"


def test_renditions_follow_their_head(parent: Parent) -> None:
    parent.family.renditions = [b"one", b"", b"three", b"4"]
    parent.tell(ASK_RENDER)
    assert parent.hear() == Rendering([3, 0, 5, 1])
    assert parent.receive(9) == b"onethree4"


@pytest.mark.parametrize(
    ("error", "arrives", "saying"),
    [
        (UnsupportedMediaError("animated"), UnsupportedMediaError, "animated"),
        (MemoryError(), ImageRejectedError, "out_of_memory"),
        (pyvips.Error("vips: out of memory"), ImageRejectedError, "out_of_memory"),
        (pyvips.Error("vips: bad seek"), ImageRejectedError, "damaged"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), ImageRejectedError, "damaged"),
        (KeyError("surprise"), ChildFailedError, "surprise"),
    ],
)
def test_errors_are_told_for_what_they_are(
    parent: Parent, error: Exception, arrives: type[Exception], saying: str
) -> None:
    parent.family.error = error
    parent.tell(ASK_PROBE)
    with pytest.raises(arrives, match=saying):
        parent.hear()
    parent.family.error = None
    parent.tell(ASK_PROBE)
    assert parent.hear() == PROBE


def test_a_result_past_all_measure_is_not_sent(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "MAX_RESULT_BYTES", 8)
    parent.family.renditions = [b"12345", b"6789"]
    parent.tell(ASK_RENDER)
    with pytest.raises(ImageRejectedError, match="out_of_memory"):
        parent.hear()


def test_a_source_past_all_measure_is_not_read(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "MAX_SOURCE_BYTES", 4)
    parent.tell(ASK_PROBE)
    with pytest.raises(ImageRejectedError, match="out_of_memory"):
        parent.hear()
    assert parent.family.seen == b""


def test_a_source_that_shrinks_is_read_to_its_end(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.fstat

    def longer(descriptor: int) -> os.stat_result:
        fields = list(whole(descriptor))
        fields[6] += 100
        return os.stat_result(fields)

    monkeypatch.setattr("emoji_gallery.media.child.os.fstat", longer)
    parent.tell(ASK_PROBE)
    assert parent.hear() == PROBE
    assert parent.family.seen == b"the source"


def test_a_line_that_closes_within_a_task_ends_the_child(parent: Parent) -> None:
    descriptor = os.open(parent.source, os.O_RDONLY)
    socket.send_fds(parent.line, [encode_task(ASK_PROBE)[:9]], [descriptor])
    os.close(descriptor)
    parent.hang_up()
    assert parent.family.seen == b""
