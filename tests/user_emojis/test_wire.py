"""Uploads over a real socket, through the server that production runs, also by odd clients."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
import pytest_asyncio
from granian.constants import Interfaces
from granian.server.embed import Server

from emoji_gallery.user_emojis.settings import UploadSettings
from tests.user_emojis import pictures
from tests.user_emojis.world import ALICE, KEYS, World
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

MIB: Final = 1024 * 1024
CAP: Final = 10 * MIB
HEAD: Final = b'--b\r\nContent-Disposition: form-data; name="file"; filename="cat.png"\r\n\r\n'
TAIL: Final = b"\r\n--b--\r\n"


@dataclass(frozen=True)
class Answer:
    """What came back over the socket."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Wire:
    """A server on a socket, and clients that write to it whatever they like."""

    world: World
    socket: Path

    @asynccontextmanager
    async def connection(self, *headers: str) -> AsyncIterator[Connection]:
        """A connection on which the head of an upload of Alice's has been sent."""
        hour = timedelta(hours=1)
        token = KEYS.issue(ALICE, tier=None, scopes=(), now=self.world.time(), ttl=hour)
        lines = [
            "POST /emoji/ HTTP/1.1",
            "Host: gallery.test",
            f"Authorization: Bearer {token}",
            "Content-Type: multipart/form-data; boundary=b",
            *headers,
        ]
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(0)
            await asyncio.get_running_loop().sock_connect(line, str(self.socket))
            connection = Connection(line)
            await connection.send("\r\n".join(lines).encode() + b"\r\n\r\n")
            yield connection


@dataclass(frozen=True)
class Connection:
    """One client's end, whose reading goes on when its writing fails.

    A stream of asyncio's ends both at once, and with them an answer that had come already.
    """

    line: socket.socket

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.line, data)

    async def send_chunk(self, data: bytes) -> None:
        """Send a piece of a body of no declared length."""
        await self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def answer(self) -> Answer:
        """The answer, however much of the body was sent."""
        async with asyncio.timeout(30):
            head, _, body = (await self.head()).partition(b"\r\n\r\n")
            status_line, *lines = head.decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            length = int(headers["content-length"])
            while len(body) < length:
                body = await self._more(body)
        return Answer(int(status_line.split()[1]), headers, orjson.loads(body[:length]))

    async def head(self) -> bytes:
        """What comes up to the end of a head, and what came with it."""
        received = b""
        while b"\r\n\r\n" not in received:
            received = await self._more(received)
        return received

    async def _more(self, received: bytes) -> bytes:
        piece = await asyncio.get_running_loop().sock_recv(self.line, 65_536)
        assert piece, "the connection was closed before the answer was complete"
        return received + piece


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for the address of a socket."""
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        yield Path(folder)


@asynccontextmanager
async def served(world: World, folder: Path) -> AsyncIterator[Wire]:
    """A server for the world, on a socket in a folder."""
    address = folder / "s"
    server = Server(
        world.app,
        uds=address,
        interface=Interfaces.ASGINL,
        log_enabled=False,
        websockets=False,
    )
    async with world.running():
        serving = asyncio.create_task(server.serve())
        await eventually(address.exists, within=30)
        yield Wire(world, address)
        server.stop()  # type: ignore[no-untyped-call]
        await serving


@pytest_asyncio.fixture(loop_scope="session")
async def wire(world: World, tmp_path: Path, short_folder: Path) -> AsyncIterator[Wire]:
    async with served(replace(world, folder=tmp_path / "served"), short_folder) as wire:
        yield wire


@pytest_asyncio.fixture(loop_scope="session")
async def impatient_wire(world: World, tmp_path: Path, short_folder: Path) -> AsyncIterator[Wire]:
    """A server that waits for half a second only."""
    settings = UploadSettings(upload_idle_seconds=0.5)
    impatient = replace(world, settings=settings, folder=tmp_path / "served")
    async with served(impatient, short_folder) as wire:
        yield wire


async def nothing_is_kept(world: World) -> bool:
    assert await world.run("SELECT 1 FROM user_emojis.emojis") == []
    assert await world.run("SELECT 1 FROM user_emojis.quotas") == []
    assert await world.run("SELECT 1 FROM user_emojis.outbox") == []
    assert await world.run("SELECT 1 FROM user_emojis.idempotency") == []
    assert await world.stored() == set()
    assert world.spooled() == []
    return True


def length(*parts: bytes) -> str:
    return f"Content-Length: {sum(map(len, parts))}"


async def test_an_upload_over_the_socket_is_taken(wire: Wire) -> None:
    content = pictures.png()
    async with wire.connection(length(HEAD, content, TAIL)) as client:
        await client.send(HEAD + content + TAIL)
        assert (await client.answer()).status == 201


async def test_a_body_of_no_declared_length_is_taken(wire: Wire) -> None:
    async with wire.connection("Transfer-Encoding: chunked") as client:
        for byte in HEAD + pictures.png() + TAIL:
            await client.send_chunk(bytes([byte]))
        await client.send(b"0\r\n\r\n")
        assert (await client.answer()).status == 201


class TestDisconnect:
    @pytest.mark.parametrize("sent", [0, 20, 300_000])
    async def test_a_client_that_goes_away_in_the_middle_leaves_nothing(
        self, wire: Wire, sent: int
    ) -> None:
        content = pictures.png() + b"\0" * 400_000
        async with wire.connection(length(HEAD, content, TAIL), "Idempotency-Key: k1") as client:
            await client.send((HEAD + content)[:sent])
            await eventually(lambda: self.is_claimed(wire), within=30)
        await eventually(lambda: nothing_is_kept(wire.world), within=30)

    async def test_the_key_of_such_an_upload_is_free_again(self, wire: Wire) -> None:
        content = pictures.png()
        async with wire.connection(length(HEAD, content, TAIL), "Idempotency-Key: k1") as client:
            await client.send(HEAD + content[:20])
            await eventually(lambda: self.is_claimed(wire), within=30)
        await eventually(lambda: nothing_is_kept(wire.world), within=30)
        async with wire.connection(length(HEAD, content, TAIL), "Idempotency-Key: k1") as client:
            await client.send(HEAD + content + TAIL)
            assert (await client.answer()).status == 201

    async def test_a_client_that_garbles_its_chunks_leaves_nothing(self, wire: Wire) -> None:
        async with wire.connection("Transfer-Encoding: chunked", "Idempotency-Key: k1") as client:
            await client.send_chunk(HEAD + pictures.png())
            await eventually(lambda: self.is_claimed(wire), within=30)
            await client.send(b"not a number\r\n")
            await eventually(lambda: nothing_is_kept(wire.world), within=30)

    async def is_claimed(self, wire: Wire) -> bool:
        return await wire.world.run("SELECT 1 FROM user_emojis.idempotency") != []


class TestTooLarge:
    async def test_one_byte_over_the_cap_is_refused_once_all_has_been_sent(
        self, wire: Wire
    ) -> None:
        content = pictures.PNG_SIGNATURE + b"x" * (CAP - 7)
        async with wire.connection(length(HEAD, content, TAIL)) as client:
            await client.send(HEAD + content + TAIL)
            answer = await client.answer()
        assert (answer.status, answer.body["code"]) == (413, "file_too_large")
        assert answer.body["limit"] == CAP
        assert await nothing_is_kept(wire.world)

    async def test_a_body_of_no_declared_length_is_cut_at_the_cap(self, wire: Wire) -> None:
        async with wire.connection("Transfer-Encoding: chunked") as client:
            await client.send_chunk(HEAD + pictures.PNG_SIGNATURE)
            for _ in range(12):
                await client.send_chunk(b"x" * MIB)
                assert sum(path.stat().st_size for path in wire.world.spooled()) <= CAP
            await client.send_chunk(TAIL)
            await client.send(b"0\r\n\r\n")
            answer = await client.answer()
        assert (answer.status, answer.body["limit"]) == (413, CAP)
        assert await nothing_is_kept(wire.world)

    async def test_a_body_without_end_is_answered_all_the_same(self, wire: Wire) -> None:
        async with wire.connection("Transfer-Encoding: chunked") as client:
            await client.send_chunk(HEAD + pictures.PNG_SIGNATURE)

            async def send_for_ever() -> None:
                with suppress(ConnectionError):
                    while True:
                        await client.send_chunk(b"x" * MIB)

            sending = asyncio.create_task(send_for_ever())
            answer = await client.answer()
            sending.cancel()
        assert (answer.status, answer.body["limit"]) == (413, CAP)
        assert await nothing_is_kept(wire.world)

    async def test_a_declared_length_far_past_the_cap_is_not_believed_but_read(
        self, wire: Wire
    ) -> None:
        content = pictures.PNG_SIGNATURE + b"x" * (20 * MIB)
        async with wire.connection(length(HEAD, content, TAIL)) as client:
            await client.send(HEAD + content + TAIL)
            answer = await client.answer()
        assert (answer.status, answer.body["limit"]) == (413, CAP)


class TestLyingLength:
    async def test_a_body_longer_than_declared_ends_where_it_was_declared_to(
        self, wire: Wire
    ) -> None:
        content = pictures.png()
        async with wire.connection(length(HEAD, content[:10])) as client:
            await client.send(HEAD + content + TAIL)
            answer = await client.answer()
        assert (answer.status, answer.body["code"]) == (422, "validation_error")
        assert await nothing_is_kept(wire.world)

    async def test_a_body_shorter_than_declared_is_cut_when_nothing_more_comes(
        self, impatient_wire: Wire
    ) -> None:
        content = pictures.png()
        async with impatient_wire.connection(f"Content-Length: {5 * MIB}") as client:
            await client.send(HEAD + content + TAIL)
            answer = await client.answer()
        assert (answer.status, answer.body["code"]) == (408, "request_timeout")
        assert answer.headers["connection"] == "close"
        assert await nothing_is_kept(impatient_wire.world)


async def test_a_body_of_which_nothing_more_comes_is_cut(impatient_wire: Wire) -> None:
    async with impatient_wire.connection("Content-Length: 1000") as client:
        await client.send(HEAD + pictures.png()[:20])
        answer = await client.answer()
        assert (answer.status, answer.body["code"]) == (408, "request_timeout")
        async with asyncio.timeout(30):
            assert await asyncio.get_running_loop().sock_recv(client.line, 1) == b""
    assert await nothing_is_kept(impatient_wire.world)


class TestExpect:
    async def test_who_asks_whether_to_send_is_told_to(self, wire: Wire) -> None:
        content = pictures.png()
        async with wire.connection(length(HEAD, content, TAIL), "Expect: 100-continue") as client:
            async with asyncio.timeout(30):
                invitation = await client.head()
            assert invitation.startswith(b"HTTP/1.1 100 ")
            await client.send(HEAD + content + TAIL)
            assert (await client.answer()).status == 201

    async def test_who_wants_to_send_too_much_is_refused_before(self, wire: Wire) -> None:
        async with wire.connection(f"Content-Length: {40 * MIB}", "Expect: 100-continue") as client:
            assert (await client.answer()).status == 413
