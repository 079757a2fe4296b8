"""Migrations: they make what the code expects, from nothing and around what is there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from consumer.ledger.migrations import VERSION_TABLE, current, is_current, newest, upgrade
from consumer.ledger.sql.connect import engine_of
from consumer.ledger.sql.database import Database
from consumer.ledger.sql.ledger import SqlLedger
from consumer.ledger.sql.schema import metadata
from tests.contract.ledger.builders import accept, offer
from tests.contract.ledger.conftest import SERVERS, SQL
from tests.support.databases import fresh_database
from tests.support.services import need


@pytest.fixture(params=SQL)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without tables."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        if request.param in SERVERS:
            url = stack.enter_context(fresh_database(need(SERVERS[request.param])))
        engine = engine_of(url)
        stack.callback(engine.dispose)
        yield engine


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))


def test_the_migrations_make_the_tables_that_the_code_expects(empty: Engine) -> None:
    assert differences(empty) != []
    upgrade(empty)
    assert differences(empty) == []


def test_a_database_says_whether_it_is_current(empty: Engine) -> None:
    assert (current(empty), is_current(empty)) == (None, False)
    upgrade(empty)
    assert (current(empty), is_current(empty)) == (newest(), True)


def test_an_upgrade_keeps_what_is_there_and_does_nothing_twice(empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    upgrade(empty)
    accept(SqlLedger(Database(empty)), offer("c1"))
    upgrade(empty)
    assert [op.id for op in SqlLedger(Database(empty)).operations()] == ["c1"]
    with empty.connect() as connection:
        theirs = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert theirs == "theirs"


def test_an_upgrade_of_the_first_tables_keeps_what_they_hold(empty: Engine) -> None:
    upgrade(empty, "0001")
    accept(SqlLedger(Database(empty)), offer("c1"))
    assert not is_current(empty)
    upgrade(empty)
    assert differences(empty) == []
    ledger = SqlLedger(Database(empty))
    assert ([op.id for op in ledger.operations()], ledger.migrations()) == (["c1"], ())


def test_the_comparison_sees_a_missing_column(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("ALTER TABLE workers DROP COLUMN claims"))
    assert differences(empty) != []


def test_the_comparison_sees_a_missing_unique_key(
    empty: Engine, drop: Callable[[Engine], str]
) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text(drop(empty)))
    assert differences(empty) != []


@pytest.fixture
def drop() -> Callable[[Engine], str]:
    """How each database takes the key (or, in SQLite, an index) away."""
    statements = {
        "sqlite": "DROP INDEX ix_operations_finished",
        "postgresql": "ALTER TABLE operations DROP CONSTRAINT uq_operations_subject_seq",
    }
    mysql = "ALTER TABLE operations DROP INDEX uq_operations_subject_seq"
    return lambda engine: statements.get(engine.dialect.name, mysql)
