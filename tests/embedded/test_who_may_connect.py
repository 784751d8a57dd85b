"""Which other programs on the machine get into the servers: none."""

from __future__ import annotations

import pytest
import redis
from sqlalchemy.exc import DBAPIError

from tests.embedded.statements import ONCE, run_sql
from tests.parts import Parts


async def test_database_takes_only_the_roles_of_the_account_that_started_it(parts: Parts) -> None:
    url = parts.servers.database_url.replace("//emoji_gallery@", "//stranger@")
    with pytest.raises(DBAPIError, match="Peer authentication failed"):
        await run_sql(url, "SELECT 1")


def test_folder_of_the_sockets_is_closed_to_others(parts: Parts) -> None:
    assert parts.servers.postgres.sockets.stat().st_mode & 0o077 == 0


async def test_neither_server_listens_on_the_network(parts: Parts) -> None:
    assert await run_sql(parts.servers.database_url, "SHOW listen_addresses") == [""]
    with redis.Redis.from_url(parts.servers.redis_url) as client:
        assert client.config_get("port") == {"port": "0"}


async def test_owner_of_the_database_is_no_superuser(database_url: str) -> None:
    rights = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert await run_sql(database_url, rights) == [False]


def test_valkey_takes_nobody_without_its_password(parts: Parts) -> None:
    socket = str(parts.servers.valkey.sockets / "valkey.sock")
    with (
        redis.Redis(unix_socket_path=socket, protocol=2, retry=ONCE) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
