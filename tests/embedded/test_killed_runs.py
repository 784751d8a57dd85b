"""What `kill -9` leaves behind, and what the next start makes of it."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from emoji_gallery.embedded.parts import addresses_of_running, embedded_parts
from emoji_gallery.embedded.process import working_in
from tests.embedded.children import run_in_child
from tests.embedded.servers import servers_on
from tests.embedded.statements import run_sql
from tests.waiting import eventually


async def test_killed_run_does_not_prevent_the_next_and_loses_nothing(data: Path) -> None:
    with run_in_child(data) as child:
        found = addresses_of_running(data)
        assert found is not None
        await run_sql(found.database_url, "CREATE TABLE kept (n int)")
        await run_sql(found.database_url, "INSERT INTO kept SELECT generate_series(1, 500)")
        child.kill()
    async with embedded_parts(data, durability="durable") as parts:
        assert await run_sql(parts.database_url, "SELECT count(*) FROM kept") == [500]


async def test_servers_end_with_the_process_that_started_them(data: Path) -> None:
    with run_in_child(data) as child:
        assert working_in("postgres", data / "postgres")
        child.kill()
    await eventually(lambda: not working_in("postgres", data / "postgres"), within=30)
    await eventually(lambda: not working_in("valkey-server", data / "valkey"), within=30)


async def test_power_failure_of_the_servers_themselves_loses_nothing(data: Path) -> None:
    with run_in_child(data) as child:
        found = addresses_of_running(data)
        assert found is not None
        await run_sql(found.database_url, "CREATE TABLE kept AS SELECT 1 AS n")
        for process in working_in("postgres", data / "postgres"):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        child.kill()
    assert (data / "postgres/postmaster.pid").exists()
    async with embedded_parts(data, durability="durable") as parts:
        assert await run_sql(parts.database_url, "SELECT n FROM kept") == [1]


async def test_left_over_servers_on_the_folder_are_ended(data: Path) -> None:
    left_over = servers_on(data)
    await left_over.valkey.start()
    await left_over.postgres.start()
    async with embedded_parts(data, durability="fast") as parts:
        assert await run_sql(parts.database_url, "SELECT 1") == [1]
        assert left_over.postgres.died
        assert left_over.valkey.died


async def test_stranger_that_has_the_process_id_of_a_dead_server_is_left_alone(
    folder: Path,
    data: Path,
) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=folder) as stranger:  # noqa: ASYNC220
        (data / "postgres/postmaster.pid").write_text(f"{stranger.pid}\n{data}/postgres\n")
        async with embedded_parts(data, durability="fast") as parts:
            assert await run_sql(parts.database_url, "SELECT 1") == [1]
        assert stranger.poll() is None
        stranger.kill()


async def test_half_made_cluster_is_made_again(folder: Path) -> None:
    data = folder / "data"
    (data / "postgres.new/base").mkdir(parents=True, mode=0o711)
    data.chmod(0o711)
    async with embedded_parts(data, durability="fast") as parts:
        assert await run_sql(parts.database_url, "SELECT 1") == [1]
