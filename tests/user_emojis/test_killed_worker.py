from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.user_emojis import pictures
from tests.user_emojis.doomed_worker import objects_in
from tests.user_emojis.world import World
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_emoji_becomes_ready_although_its_worker_was_killed_while_drawing(
    world: World, shared_database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    here = replace(world, objects=objects_in(folder))
    async with here.running():
        await here.keep(pictures.png())
        doomed = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.user_emojis.doomed_worker",
            shared_database_url,
            str(folder),
            stdout=asyncio.subprocess.PIPE,
        )
        assert doomed.stdout is not None
        async with asyncio.timeout(60):
            assert await doomed.stdout.readline() == b"drawing\n"
        doomed.send_signal(signal.SIGKILL)
        await doomed.wait()
        assert (await here.listed())[0]["status"] == "processing"

        async def is_ready() -> bool:
            return str((await here.listed())[0]["status"]) == "ready"

        async with here.working():
            await eventually(is_ready, within=60)
    assert await here.used() == 1
