from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from emoji_gallery.embedded import folders
from emoji_gallery.embedded.errors import (
    EmbeddedError,
    FolderInUseError,
    StartError,
    UnusableFolderError,
)
from emoji_gallery.embedded.parts import addresses_of_running, embedded_parts
from emoji_gallery.embedded.process import working_in
from emoji_gallery.embedded.valkey import ValkeyServer
from tests.embedded.statements import answers_ping, run_sql
from tests.waiting import eventually


async def test_second_start_still_has_everything(folder: Path) -> None:
    async with embedded_parts(folder / "data", durability="durable") as first:
        await run_sql(
            first.database_url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)"
        )
    async with embedded_parts(folder / "data", durability="durable") as second:
        assert await run_sql(second.database_url, "SELECT n FROM kept") == [7]
        assert await answers_ping(second.redis_url)


async def test_nothing_runs_or_listens_after_the_block(data: Path) -> None:
    async with embedded_parts(data, durability="fast"):
        assert working_in("postgres", data / "postgres")
        assert working_in("valkey-server", data / "valkey")
    assert not working_in("postgres", data / "postgres")
    assert not working_in("valkey-server", data / "valkey")
    assert list((data / "run").iterdir()) == []


async def test_durable_servers_wait_for_the_disk_and_fast_ones_do_not(data: Path) -> None:
    async with embedded_parts(data, durability="durable") as parts:
        assert await run_sql(parts.database_url, "SHOW fsync") == ["on"]
    async with embedded_parts(data, durability="fast") as parts:
        assert await run_sql(parts.database_url, "SHOW fsync") == ["off"]


async def test_second_run_on_the_same_folder_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setattr(folders, "_LEAVE_SECONDS", 0.1)
    async with embedded_parts(data, durability="fast") as first:
        with pytest.raises(FolderInUseError, match=f"process {os.getpid()}") as refusal:
            async with embedded_parts(data, durability="fast"):
                pass
        assert "\n" not in str(refusal.value)
        assert await run_sql(first.database_url, "SELECT 1") == [1]


async def test_runs_on_two_folders_do_not_meet(folder: Path) -> None:
    async with (
        embedded_parts(folder / "one", durability="fast") as one,
        embedded_parts(folder / "two", durability="fast") as two,
    ):
        await run_sql(one.database_url, "CREATE TABLE here (n int)")
        assert await run_sql(two.database_url, "SELECT to_regclass('here')::text") == [None]


async def test_folder_with_a_long_path_of_any_characters_works(folder: Path) -> None:
    data = folder / ("films & émojis, 100% ours?" * 5)
    async with embedded_parts(data, durability="fast") as parts:
        assert await run_sql(parts.database_url, "SELECT 1") == [1]
        assert await answers_ping(parts.redis_url)
        sockets = parts.postgres.sockets
        assert data not in sockets.parents
    assert not sockets.exists()


async def test_server_that_dies_is_started_again(data: Path) -> None:
    async with embedded_parts(data, durability="durable") as parts:
        await run_sql(parts.database_url, "CREATE TABLE kept (n int)")
        for pid in (parts.valkey.pid, parts.postgres.pid):
            assert pid is not None
            os.kill(pid, signal.SIGKILL)

        async def both_answer() -> bool:
            try:
                tables = await run_sql(parts.database_url, "SELECT to_regclass('kept')::text")
            except (OSError, SQLAlchemyError):
                return False
            return tables == ["kept"] and await answers_ping(parts.redis_url)

        await eventually(both_answer, within=30)


async def test_start_that_failed_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    failures: list[str] = []
    start = ValkeyServer.start

    async def fail_once(server: ValkeyServer) -> None:
        if not failures:
            failures.append("once")
            raise StartError("not this time")
        await start(server)

    async with embedded_parts(data, durability="fast") as parts:
        monkeypatch.setattr(ValkeyServer, "start", fail_once)
        assert parts.valkey.pid is not None
        os.kill(parts.valkey.pid, signal.SIGKILL)
        await eventually(lambda: failures, within=30)
        await eventually(lambda: answers_ping(parts.redis_url), within=30)


async def test_stopped_server_stays_away_until_it_is_started_on_the_same_address(
    data: Path,
) -> None:
    async with embedded_parts(data, durability="fast") as parts:
        address = parts.redis_url
        await parts.valkey.stop()
        assert not await answers_ping(address)
        assert not parts.valkey.died
        await parts.valkey.start()
        assert await answers_ping(address)


async def test_other_commands_of_the_account_find_the_running_servers(data: Path) -> None:
    assert addresses_of_running(data) is None
    async with embedded_parts(data, durability="fast") as parts:
        found = addresses_of_running(data)
        assert found is not None
        assert (found.database_url, found.redis_url) == (parts.database_url, parts.redis_url)
        assert (data / "config/addresses.json").stat().st_mode & 0o077 == 0
    assert addresses_of_running(data) is None


async def test_file_in_place_of_the_data_folder_is_named_in_one_line(folder: Path) -> None:
    (folder / "data").write_text("not a folder")
    with pytest.raises(UnusableFolderError, match=r"data.* cannot be used") as refusal:
        async with embedded_parts(folder / "data", durability="fast"):
            pass
    assert "\n" not in str(refusal.value)


async def test_files_of_another_major_version_are_left_alone(data: Path) -> None:
    version = data / "postgres/PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(UnusableFolderError, match="made by PostgreSQL 17, this one is 18"):
        async with embedded_parts(data, durability="fast"):
            pass
    assert version.read_text() == "17\n"


async def test_server_that_does_not_start_is_reported_in_its_own_words(data: Path) -> None:
    with (data / "postgres/postgresql.conf").open("a") as settings:
        settings.write("\nno_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match=r"did not start: .*FATAL.*postgresql\.conf"):
        async with embedded_parts(data, durability="fast"):
            pass
    assert not working_in("valkey-server", data / "valkey")
