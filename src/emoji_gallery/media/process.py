"""The parent's side of one child: start, ask within a time, end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from emoji_gallery.media.errors import (
    ImageRejectedError,
    Rejection,
    RendererUnavailableError,
    UnsupportedMediaError,
)
from emoji_gallery.media.protocol import (
    LENGTH_BYTES,
    MAX_HEAD_BYTES,
    Answer,
    ChildFailedError,
    ProtocolError,
    Ready,
    Rendering,
    Task,
    decode_answer,
    encode_task,
)
from emoji_gallery.media.watch import Allowance, watched

_START_SECONDS: Final = 30
_SOCKET_BUFFER: Final = 1_048_576
_LAST_WORDS: Final = 65_536

_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    "VIPS_CONCURRENCY": "1",
    # Large pictures are decoded in memory, whose bound holds; there is no disc to write to.
    "VIPS_DISC_THRESHOLD": "64g",
}
_OUTSIDE_SIGNALS: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""What ends a child from outside: no decoder raises these on itself."""

_SHORT_OF_MEMORY: Final = (b"failed to allocate", b"memory allocation of", b"out of memory")
"""What GLib, Rust and libvips say before they give up."""


class Family(StrEnum):
    """Which decoders a child holds."""

    RASTER = "raster"
    VECTOR = "vector"


class ChildKilledError(Exception):
    """Somebody else ended the child; the picture may be innocent."""


@dataclass(eq=False)
class Child:
    """A running child. It is asked one thing at a time, and thrown away after any failure."""

    process: subprocess.Popen[bytes]
    line: socket.socket
    complaints: int
    measures: Sequence[str] = ()
    tasks_done: int = 0
    _asked: bool = False
    _killed: bool = False
    _excess: Rejection | None = None

    async def ask(
        self, task: Task, source: int, allowance: Allowance
    ) -> tuple[Answer, Sequence[bytes]]:
        """Hand over a task and the source's descriptor; answer the head and the renditions.

        Raises what the child reports about the picture; ImageRejectedError (`timeout`, `crashed`,
        `out_of_memory`) where it does not get that far; ChildKilledError where another process
        ended it. `usable` tells afterwards whether it may be asked again.
        """
        self.tasks_done += 1
        self._asked = True
        try:
            with watched(self.process.pid, allowance, self._stop):
                answered = await self._exchange(task, source)
            self._read_complaints()
        except UnsupportedMediaError:
            raise
        except ImageRejectedError as refusal:
            if refusal.reason is Rejection.OUT_OF_MEMORY:
                self.kill()
            raise
        except (OSError, EOFError):
            raise await self._cause_of_death() from None
        except (ChildFailedError, ProtocolError) as failure:
            self.kill()
            raise ImageRejectedError(Rejection.CRASHED) from failure
        except BaseException:
            # Also when the waiting task is cancelled: what the child does now is of no use.
            self.kill()
            raise
        finally:
            self._asked = False
            self._close_after_end()
        return answered

    @property
    def usable(self) -> bool:
        """Whether it can be asked: not killed, and not gone by itself in the meantime."""
        if self._killed:
            return False
        try:
            # It has nothing to say unasked, and an end of file means that it is gone.
            self.line.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def kill(self) -> None:
        """End it at once, whatever it does; a task that waits for it fails. `reap` must follow."""
        self._killed = True
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)

    async def reap(self) -> int:
        """Wait for its end, and free what it held; answer its exit code."""
        code = await asyncio.to_thread(self.process.wait)
        self._close_after_end()
        return code

    async def greet(self) -> None:
        """Wait until it has loaded and locked itself in.

        Raises RendererUnavailableError where it does not come up.
        """
        try:
            async with asyncio.timeout(_START_SECONDS):
                answer = decode_answer(await self._receive_head())
        except (OSError, EOFError, ProtocolError, TimeoutError) as failure:
            raise RendererUnavailableError("a child does not start") from failure
        if not isinstance(answer, Ready):
            raise RendererUnavailableError("a child does not greet")
        self.measures = answer.measures

    async def _exchange(self, task: Task, source: int) -> tuple[Answer, Sequence[bytes]]:
        # A task is small against the socket's buffer, so this never waits.
        message = encode_task(task)
        if socket.send_fds(self.line, [message], [source]) != len(message):
            raise ProtocolError("the child does not listen")
        answer = decode_answer(await self._receive_head())
        sizes = answer.sizes if isinstance(answer, Rendering) else ()
        return answer, [await self._receive(size) for size in sizes]

    async def _receive_head(self) -> bytes:
        length = int.from_bytes(await self._receive(LENGTH_BYTES), "big")
        if length > MAX_HEAD_BYTES:
            raise ProtocolError("the head is too large")
        return await self._receive(length)

    async def _receive(self, length: int) -> bytes:
        loop, whole = asyncio.get_running_loop(), bytearray(length)
        view = memoryview(whole)
        while view:
            count = await loop.sock_recv_into(self.line, view)
            if not count:
                raise EOFError
            view = view[count:]
        return bytes(whole)

    def _stop(self, excess: Rejection) -> None:
        self._excess = excess
        self.kill()

    def _close_after_end(self) -> None:
        """Close our ends when nobody waits on them: a closed one would never wake its waiter."""
        if self.process.returncode is not None and not self._asked and self.complaints >= 0:
            self.line.close()
            os.close(self.complaints)
            self.complaints = -1

    async def _cause_of_death(self) -> Exception:
        last_words = self._read_complaints()
        self.kill()
        code = await asyncio.shield(asyncio.to_thread(self.process.wait))
        if self._excess:
            return ImageRejectedError(self._excess)
        if any(phrase in last_words for phrase in _SHORT_OF_MEMORY):
            return ImageRejectedError(Rejection.OUT_OF_MEMORY)
        if -code in _OUTSIDE_SIGNALS:
            return ChildKilledError(f"signal {-code}")
        return ImageRejectedError(Rejection.CRASHED)

    def _read_complaints(self) -> bytes:
        """Empty the pipe of its error messages, which nobody else reads."""
        with suppress(BlockingIOError):
            return os.read(self.complaints, _LAST_WORDS)
        return b""


def spawn(family: Family, *, data_bytes: int) -> Child:
    """Start a child: no terminal, no inherited descriptors, next to no environment.

    To be called on the event loop's own thread, since a child dies with the thread that started
    it. It is of use after `greet`. Raises OSError where the interpreter cannot be run.
    """
    ours, theirs = socket.socketpair()
    complaints, their_complaints = os.pipe()
    try:
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
        ours.settimeout(0)
        for descriptor in (complaints, their_complaints):
            os.set_blocking(descriptor, False)
        command = [sys.executable, "-I", "-B", "-m", "emoji_gallery.media.child", family.value]
        options = [str(theirs.fileno()), str(data_bytes), str(os.getpid())]
        process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            command + options,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=their_complaints,
            pass_fds=(theirs.fileno(),),
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        os.close(complaints)
        raise
    finally:
        theirs.close()
        os.close(their_complaints)
    return Child(process, ours, complaints)
