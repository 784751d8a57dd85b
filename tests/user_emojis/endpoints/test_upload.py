from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from emoji_gallery.embedded.valkey import ValkeyServer
from emoji_gallery.kit.redis_gate import RedisAwayError, RedisGate
from emoji_gallery.media.errors import RendererUnavailableError
from emoji_gallery.media.renderer import Renderer, Source
from emoji_gallery.media.types import Limits, Probe
from emoji_gallery.user_emojis.service.spool import Spool
from emoji_gallery.user_emojis.service.upload import UploadEmoji
from tests.clients import client_of
from tests.user_emojis import pictures
from tests.user_emojis.world import ALICE, BOB, World
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

FREE_CAP = 10 * 1024 * 1024


async def nothing_is_kept(world: World) -> bool:
    """Whether an upload left no row, no slot, no file, and nothing to be done."""
    assert await world.listed() == []
    assert await world.used() == 0
    assert await world.stored() == set()
    assert world.spooled() == []
    assert await world.run("SELECT 1 FROM user_emojis.outbox") == []
    return True


async def refused(world: World, answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an upload was refused with; it kept nothing."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert await nothing_is_kept(world)
    return problem


class TestAccepted:
    async def test_a_picture_becomes_an_emoji_that_is_being_processed(self, world: World) -> None:
        content = pictures.png(width=40, height=30)
        answer = await world.upload(content)
        assert answer.status_code == 201
        emoji = answer.json()
        assert answer.headers["Location"] == f"/emoji/{emoji['id']}"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert emoji["id"].startswith("uem_")
        assert emoji.pop("created_at") == world.time().isoformat().replace("+00:00", "Z")
        assert emoji == {
            "id": emoji["id"],
            "owner_id": "alice",
            "name": "cat",
            "tags": [],
            "status": "processing",
            "reason": None,
            "bytes": len(content),
            "original_name": "cat.png",
            "animated": False,
            "width": 40,
            "height": 30,
            "duration_ms": None,
            "version": hashlib.sha256(content).hexdigest(),
            "renditions": {},
        }
        assert await world.used() == 1
        assert world.spooled() == []

    async def test_a_path_without_its_final_slash_is_the_same(self, world: World) -> None:
        async with world.client() as client:
            answer = await client.post("/emoji", files={"file": ("cat.png", pictures.png())})
        assert answer.status_code == 201

    @pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
    async def test_every_raster_format_is_taken(self, world: World, name: str) -> None:
        answer = await world.upload(pictures.still(name))
        assert answer.status_code == 201, answer.text
        assert (answer.json()["width"], answer.json()["animated"]) == (40, False)

    async def test_a_vector_is_taken(self, world: World) -> None:
        answer = await world.upload(pictures.svg())
        assert answer.status_code == 201, answer.text
        assert answer.json()["animated"] is False

    async def test_an_animation_is_measured(self, world: World) -> None:
        answer = await world.upload(pictures.gif(frames=3, frame_ms=100))
        assert (answer.json()["animated"], answer.json()["duration_ms"]) == (True, 300)

    async def test_name_and_tags_are_kept(self, world: World) -> None:
        answer = await world.upload(pictures.png(), name="Tom \U0001f408", tags=["a", "b", "a"])
        assert answer.json()["name"] == "Tom \U0001f408"
        assert answer.json()["tags"] == ["a", "b"]

    async def test_a_name_of_64_characters_is_kept(self, world: World) -> None:
        assert (await world.upload(pictures.png(), name="x" * 64)).json()["name"] == "x" * 64

    async def test_the_declared_type_means_nothing(self, world: World) -> None:
        async with world.client() as client:
            answer = await client.post(
                "/emoji/", files={"file": ("a.txt", pictures.png(), "text/plain")}
            )
        assert answer.status_code == 201
        assert answer.json()["name"] == "a"

    @pytest.mark.parametrize(
        ("file_name", "name", "original"),
        [
            ("../../etc/cat.png", "cat", "cat.png"),
            ("C:\\pictures\\cat.png", "cat", "cat.png"),
            ("x" * 65 + ".png", "x" * 64, "x" * 65 + ".png"),
            ("\u202egnp.cat.png", "gnp.cat", "gnp.cat.png"),
            ("\x01\x02.png", "emoji", ".png"),
        ],
    )
    async def test_a_file_name_never_refuses_an_upload(
        self, world: World, file_name: str, name: str, original: str
    ) -> None:
        head = f'Content-Disposition: form-data; name="file"; filename="{file_name}"'
        body = b"--b\r\n" + head.encode() + b"\r\n\r\n" + pictures.png() + b"\r\n--b--\r\n"
        async with world.client() as client:
            answer = await client.post(
                "/emoji/",
                content=body,
                headers={"Content-Type": "multipart/form-data; boundary=b"},
            )
        assert answer.status_code == 201, answer.text
        assert (answer.json()["name"], answer.json()["original_name"]) == (name, original)

    async def test_a_file_of_exactly_the_cap_is_taken(self, world: World) -> None:
        picture = pictures.png()
        # Bytes after the end of a PNG are nothing to it.
        content = picture + b"\0" * (FREE_CAP - len(picture))
        assert (await world.upload(content)).status_code == 201

    async def test_a_service_uploads_for_the_user_it_acts_for(self, world: World) -> None:
        async with world.client(BOB, scopes=["service"], acting_for=ALICE) as client:
            answer = await client.post("/emoji/", files={"file": ("cat.png", pictures.png())})
        assert answer.json()["owner_id"] == "alice"
        assert await world.used(ALICE) == 1

    async def test_waiting_for_it_answers_with_the_ready_emoji(self, world: World) -> None:
        async with world.working(), world.client() as client:
            answer = await client.post(
                "/emoji/",
                files={"file": ("cat.png", pictures.png())},
                headers={"Prefer": "respond-async, wait=9"},
            )
        assert answer.status_code == 201
        assert answer.headers["Preference-Applied"] == "wait=9"
        assert answer.json()["status"] == "ready"
        assert "64.png" in answer.json()["renditions"]

    async def test_waiting_ends_when_the_time_is_over(self, world: World) -> None:
        async with world.client() as client:
            answer = await client.post(
                "/emoji/",
                files={"file": ("cat.png", pictures.png())},
                headers={"Prefer": "wait=0"},
            )
        assert answer.headers["Preference-Applied"] == "wait=0"
        assert answer.json()["status"] == "processing"

    async def test_waiting_ends_when_the_owner_deletes_the_emoji(self, world: World) -> None:
        content = pictures.png()

        async def delete_it() -> bool:
            listed = await world.listed()
            assert len(listed) == 1
            async with world.client() as client:
                return (await client.delete(f"/emoji/{listed[0]['id']}")).status_code == 204

        async with world.client() as client:
            answer, _ = await asyncio.gather(
                client.post(
                    "/emoji/",
                    files={"file": ("cat.png", content)},
                    headers={"Prefer": "wait=1"},
                ),
                eventually(delete_it, within=30),
            )
        assert answer.status_code == 201
        assert answer.json()["status"] == "processing"


class TestRefused:
    async def test_without_a_token(self, world: World) -> None:
        async with client_of(world.app) as client:
            answer = await client.post("/emoji/", files={"file": ("cat.png", pictures.png())})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert "WWW-Authenticate" in answer.headers

    async def test_who_sends_much_without_a_token_gets_to_read_why(self, world: World) -> None:
        sent = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(8):
                yield b"x" * 1024
                sent += 1

        async with client_of(world.app) as client:
            answer = await client.post("/emoji/", content=body())
        assert answer.status_code == 401
        assert sent == 8

    async def test_an_empty_file(self, world: World) -> None:
        problem = await refused(world, await world.upload(b""), 422, "image_rejected")
        assert problem["reason"] == "empty"

    async def test_one_byte_over_the_cap(self, world: World) -> None:
        content = pictures.PNG_SIGNATURE + b"x" * (FREE_CAP - 7)
        problem = await refused(world, await world.upload(content), 413, "file_too_large")
        assert problem["limit"] == FREE_CAP

    @pytest.mark.parametrize(("tier", "mib"), [("free", 10), ("premium", 20), ("business", 32)])
    async def test_every_tier_has_a_cap_of_its_own(self, world: World, tier: str, mib: int) -> None:
        async with world.client(tier=tier) as client:
            answer = await client.post(
                "/emoji/",
                content=b"--b\r\n",
                headers={
                    "Content-Type": "multipart/form-data; boundary=b",
                    "Content-Length": str(40 * 1024 * 1024),
                },
            )
        assert (await refused(world, answer, 413, "file_too_large"))["limit"] == mib * 1024 * 1024

    @pytest.mark.parametrize(
        "content",
        [b"hello", b"%PDF-1.7\n", b"BM" + b"\0" * 50, b"MZ\x90", b"<html></html>", b"\0" * 9000],
    )
    async def test_an_unknown_format(self, world: World, content: bytes) -> None:
        await refused(world, await world.upload(content), 415, "unsupported_media_type")

    async def test_a_variant_of_a_known_format_that_is_not_taken(self, world: World) -> None:
        header = b"\x89PNG\r\n\x1a\n" + pictures.png()[8:33]
        animation = pictures.chunk(b"acTL", b"\0\0\0\x02\0\0\0\0")
        content = header + animation + pictures.png()[33:]
        await refused(world, await world.upload(content), 415, "unsupported_media_type")

    async def test_a_truncated_picture(self, world: World) -> None:
        content = pictures.png(width=200, height=200)
        answer = await world.upload(content[:20])
        problem = await refused(world, answer, 422, "image_rejected")
        assert problem["reason"] == "damaged"

    async def test_a_bomb_of_too_many_pixels(self, world: World) -> None:
        answer = await world.upload(pictures.png_claiming(40_000, 40_000))
        problem = await refused(world, answer, 422, "image_rejected")
        assert problem["reason"] == "dimensions_too_large"
        assert (problem["limit"], problem["actual"]) == (4096, 40_000)

    async def test_an_animation_of_too_many_frames(self, world: World) -> None:
        answer = await world.upload(pictures.gif_of_frames(10_000))
        problem = await refused(world, answer, 422, "image_rejected")
        assert problem["reason"] == "too_many_frames"
        assert problem["limit"] == 1000

    @pytest.mark.parametrize(
        "inside",
        [
            "<script>alert(1)</script>",
            '<image href="http://example.org/a.png"/>',
            '<image href="file:///etc/passwd"/>',
        ],
    )
    async def test_an_unsafe_vector(self, world: World, inside: str) -> None:
        answer = await world.upload(pictures.svg(inside))
        problem = await refused(world, answer, 422, "image_rejected")
        assert problem["reason"] == "unsafe_svg"

    async def test_a_vector_with_an_entity_bomb(self, world: World) -> None:
        levels = "".join(
            f'<!ENTITY {name} "{f"&{below};" * 10}">'
            for below, name in zip("abcdefgh", "bcdefghi", strict=True)
        )
        bomb = f'<!DOCTYPE svg [<!ENTITY a "lol">{levels}]>'.encode()
        content = bomb + pictures.svg("<text>&i;</text>")
        await refused(world, await world.upload(content), 422, "image_rejected")

    @pytest.mark.parametrize("name", ["", "x" * 65, "a\x07b", "a\nb", "\u202egnp", "\u2067x", " "])
    async def test_a_name_that_breaks_the_rule(self, world: World, name: str) -> None:
        answer = await world.upload(pictures.png(), name=name)
        problem = await refused(world, answer, 422, "validation_error")
        assert problem["field"] == "name"

    async def test_tags_that_break_the_rule(self, world: World) -> None:
        answer = await world.upload(pictures.png(), tags=["fine", "x" * 33])
        assert (await refused(world, answer, 422, "validation_error"))["field"] == "tags"

    async def test_no_file(self, world: World) -> None:
        async with world.client() as client:
            for request in (
                client.post("/emoji/"),
                client.post("/emoji/", data={"name": "cat"}),
                client.post("/emoji/", files={"name": (None, "cat")}),
            ):
                await refused(world, await request, 422, "validation_error")

    async def test_two_files(self, world: World) -> None:
        files = [("file", ("a.png", pictures.png())), ("file", ("b.png", pictures.png()))]
        async with world.client() as client:
            await refused(world, await client.post("/emoji/", files=files), 422, "validation_error")

    async def test_an_unknown_field(self, world: World) -> None:
        answer = await world.upload(pictures.png(), user_id="bob")
        await refused(world, answer, 422, "validation_error")

    async def test_an_unknown_query_parameter(self, world: World) -> None:
        async with world.client() as client:
            answer = await client.post(
                "/emoji/?tier=business", files={"file": ("cat.png", pictures.png())}
            )
        await refused(world, answer, 422, "validation_error")

    async def test_a_body_that_is_no_form(self, world: World) -> None:
        async with world.client() as client:
            answer = await client.post("/emoji/", json={"file": "cat"})
        await refused(world, answer, 415, "unsupported_media_type")

    async def test_when_the_spool_is_full(self, world: World, tmp_path: Path) -> None:
        uploads = world.feature.services[UploadEmoji]
        assert isinstance(uploads, UploadEmoji)
        spool = Spool(tmp_path / "small", max_bytes=10)
        async with spool.running():
            object.__setattr__(uploads, "spool", spool)
            answer = await world.upload(pictures.png())
        assert answer.headers["Retry-After"] == "5"
        await refused(world, answer, 503, "unavailable")


class BusyRenderer(Renderer):
    """One of which no child is ever free."""

    @override
    async def probe(self, source: Source, *, limits: Limits) -> Probe:
        raise RendererUnavailableError("busy")


async def test_uploads_are_refused_for_a_moment_while_no_child_is_free(world: World) -> None:
    busy = replace(world, renderer=BusyRenderer(), folder=world.folder / "busy")
    async with busy.running():
        answer = await busy.upload(pictures.png())
    assert answer.headers["Retry-After"] == "2"
    await refused(world, answer, 503, "unavailable")


async def test_uploads_are_closed_while_limits_cannot_be_counted(
    world: World, gate: RedisGate, valkey: ValkeyServer
) -> None:
    await valkey.stop()
    with pytest.raises(RedisAwayError):
        await gate.ping()
    answer = await world.upload(pictures.png())
    assert answer.headers["Retry-After"] == "5"
    await refused(world, answer, 503, "unavailable")

    await valkey.start()

    async def is_taken() -> bool:
        return (await world.upload(pictures.png())).status_code == 201

    await eventually(is_taken, within=30)
