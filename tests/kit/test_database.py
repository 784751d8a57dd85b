import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.errors import UnavailableError


async def _things(database: Database) -> list[int]:
    async with database.reading() as connection:
        rows = await connection.execute(text("SELECT id FROM things ORDER BY id"))
        return list(rows.scalars())


@pytest.fixture
async def things(database: Database) -> Database:
    async with database.transaction() as tx:
        await tx.execute(text("CREATE TABLE things (id int PRIMARY KEY)"))
    return database


async def test_a_transaction_commits_at_the_end_of_its_block(things: Database) -> None:
    async with things.transaction() as tx:
        await tx.execute(text("INSERT INTO things VALUES (:id)"), [{"id": 1}, {"id": 2}])
        assert await _things(things) == []
    assert await _things(things) == [1, 2]


async def test_an_exception_rolls_the_transaction_back(things: Database) -> None:
    with pytest.raises(RuntimeError, match="changed my mind"):
        async with things.transaction() as tx:
            await tx.execute(text("INSERT INTO things VALUES (1)"))
            message = "changed my mind"
            raise RuntimeError(message)
    assert await _things(things) == []


async def test_a_broken_constraint_stays_what_it_is(things: Database) -> None:
    with pytest.raises(IntegrityError):
        async with things.transaction() as tx:
            await tx.execute(text("INSERT INTO things VALUES (:id)"), [{"id": 1}, {"id": 1}])


async def test_a_wrong_statement_is_not_taken_for_an_outage(database: Database) -> None:
    with pytest.raises(DBAPIError, match="no_such_table"):
        async with database.reading() as connection:
            await connection.execute(text("SELECT * FROM no_such_table"))


async def test_a_statement_that_takes_too_long_is_ended(database_url: str) -> None:
    settings = DatabaseSettings(database_url=database_url, database_statement_timeout_ms=100)
    database = connect(settings, application_name="tests")
    try:
        with pytest.raises(UnavailableError):
            async with database.reading() as connection:
                await connection.execute(text("SELECT pg_sleep(30)"))
    finally:
        await database.close()


async def test_a_server_that_is_away_is_an_unavailable_error() -> None:
    nobody_listens = "postgresql+asyncpg://postgres@127.0.0.1:1/none"
    database = connect(DatabaseSettings(database_url=nobody_listens), application_name="tests")
    with pytest.raises(UnavailableError):
        await database.ping()
    with pytest.raises(UnavailableError):
        async with database.transaction():
            pass
    await database.close()


async def test_a_cut_connection_is_an_outage_once_and_then_made_anew(things: Database) -> None:
    with pytest.raises(UnavailableError):
        async with things.transaction() as tx:
            pid = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with things.transaction() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await tx.execute(text("SELECT 1"))
    assert await _things(things) == []


async def test_times_are_in_utc(database: Database) -> None:
    async with database.reading() as connection:
        zone = (await connection.execute(text("SHOW timezone"))).scalar_one()
    assert zone == "UTC"
