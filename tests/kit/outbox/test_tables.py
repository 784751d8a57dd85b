from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from faststream_outbox import OutboxBroker
from sqlalchemy import Connection, MetaData, inspect, text

from emoji_gallery.kit.database import Database
from emoji_gallery.kit.idempotency_migration import drop_idempotency_v1
from emoji_gallery.kit.outbox.migration import drop_task_tables_v1
from emoji_gallery.kit.outbox.tables import declare_tasks
from tests.demo_tasks import METADATA, TASKS


async def test_the_migration_makes_what_the_transport_expects(demo: Database) -> None:
    broker = OutboxBroker(demo.engine, outbox_table=TASKS.outbox, dlq_table=TASKS.dead)

    await broker.validate_schema(check_autovacuum=True)


async def test_the_migration_makes_what_the_models_say(demo: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == "demo",
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, METADATA))

    async with demo.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_migration_can_be_undone(demo: Database) -> None:
    def undo(connection: Connection) -> list[str]:
        with Operations.context(MigrationContext.configure(connection)):
            drop_task_tables_v1("demo")
            drop_idempotency_v1("demo")
        return inspect(connection).get_table_names(schema="demo")

    async with demo.engine.connect() as connection:
        assert await connection.run_sync(undo) == []
        await connection.rollback()


@pytest.mark.parametrize(
    "row",
    [
        "outbox (queue, payload, acquired_at) VALUES ('t', '', now())",
        "periodic (name, started_at, leased_until) VALUES ('p', now(), now())",
    ],
)
async def test_half_a_lease_cannot_be_stored(demo: Database, row: str) -> None:
    async with demo.transaction() as tx:
        with pytest.raises(Exception, match="lease_ck"):
            await tx.execute(text(f"INSERT INTO demo.{row}"))


@pytest.mark.parametrize("name", ["paint", "other.paint", "demopaint", "demo." + "p" * 200])
def test_a_task_is_named_after_its_schema(name: str) -> None:
    with pytest.raises(ValueError, match=r"demo\.<verb>"):
        declare_tasks(MetaData(schema="demo"), [name])


def test_task_tables_need_a_schema() -> None:
    with pytest.raises(ValueError, match="schema"):
        declare_tasks(MetaData(), [])
