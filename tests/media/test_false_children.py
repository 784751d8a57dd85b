"""Children that do not keep to the protocol, as a taken-over one would not."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from emoji_gallery.media.errors import ImageRejectedError, RendererUnavailableError
from emoji_gallery.media.pool import Bounds, Pool
from emoji_gallery.media.process import Family
from emoji_gallery.media.protocol import ProbeTask
from emoji_gallery.media.turnstile import Priority
from emoji_gallery.media.types import Format, Limits
from emoji_gallery.media.watch import Allowance
from tests.waiting import eventually

INTERPRETER = sys.executable

PREAMBLE = """
import json, os, socket, sys
line = socket.socket(fileno=int(sys.argv[-3]))
def say(told):
    text = told if isinstance(told, bytes) else json.dumps(told).encode()
    line.sendall(len(text).to_bytes(4, "big") + text)
def listen():
    if not line.recv(4096):
        sys.exit()
ready = {"answer": "Ready", "measures": []}
refused = {"answer": "rejected", "reason": "out_of_memory", "limit": None, "actual": None}
"""

Script = Callable[[str], None]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Make every child that starts run a script of the test instead."""

    def write(code: str) -> None:
        program = tmp_path / "child"
        program.write_text(f"#!{INTERPRETER} -I\n{PREAMBLE}\n{textwrap.dedent(code)}")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))

    return write


async def answered(pool: Pool) -> object:
    with Path("/dev/null").open("rb") as source:  # noqa: ASYNC230 (it does not block)
        task = ProbeTask(Format.PNG, Limits())
        return await pool.run(task, source.fileno(), Priority.PROBE)


def one_child() -> Pool:
    return Pool(Family.RASTER, Bounds(children=1, allowance=Allowance(seconds=60)))


@pytest.mark.parametrize(
    "greeting",
    [
        "say(b'hello')",
        "line.sendall(b'\\xff\\xff\\xff\\xff')",
        'say({"answer": "Rendering", "sizes": []})',
        "line.close()",
    ],
)
async def test_a_child_that_greets_wrongly_is_not_used(script: Script, greeting: str) -> None:
    script(greeting)
    pool = one_child()
    with pytest.raises(RendererUnavailableError, match="does not"):
        await pool.start()
    await pool.stop()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ('say({"answer": "failed", "detail": "KeyError"})', "crashed"),
        ("say(b'{}')", "crashed"),
        ("say(b'x' * 70_000)", "crashed"),
        ('say({"answer": "Rendering", "sizes": [99_000_000]})', "crashed"),
        ("line.sendall(b'\\x00\\x00'); sys.exit(3)", "crashed"),
        ("say(refused)", "out_of_memory"),
        ("os.write(2, b'GLib: failed to allocate 9 bytes'); os.abort()", "out_of_memory"),
        ("os.write(2, b'memory allocation of 9 bytes failed'); os.abort()", "out_of_memory"),
    ],
)
async def test_a_wrong_answer_refuses_the_picture_and_ends_the_child(
    script: Script, reply: str, reason: str
) -> None:
    script(f"say(ready)\nwhile True:\n    listen()\n    {reply}")
    pool = one_child()
    await pool.start()
    (first,) = pool._live
    with pytest.raises(ImageRejectedError, match=reason):
        await answered(pool)
    assert first not in pool._live
    await pool.stop()


async def test_a_child_that_speaks_unasked_is_replaced(script: Script) -> None:
    script("say(ready)\nsay(ready)\nlisten()")
    pool = one_child()
    await pool.start()
    (first,) = pool._live
    await eventually(lambda: not first.usable, within=20)
    script('say(ready)\nlisten()\nsay({"answer": "Rendering", "sizes": []})\nlisten()')
    await answered(pool)
    assert first not in pool._live
    await pool.stop()


async def test_complaints_never_fill_the_pipe_they_go_into(script: Script) -> None:
    script(
        """
        say(ready)
        os.set_blocking(2, True)
        while True:
            listen()
            os.write(2, b"warning " * 1000)
            say({"answer": "Rendering", "sizes": []})
        """
    )
    pool = one_child()
    await pool.start()
    for _ in range(30):
        await answered(pool)
    await pool.stop()
