"""Transactions: which errors are retried, which mean that the database is away."""

from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from consumer.ledger.base import Unavailable
from consumer.ledger.sql.connect import Limits, Tls, engine_of
from consumer.ledger.sql.database import Database, Remedy, remedy


def error(kind: type[DBAPIError], cause: BaseException, *, broken: bool = False) -> DBAPIError:
    return kind("UPDATE", {}, cause, connection_invalidated=broken)


DEADLOCK = error(OperationalError, pymysql.err.OperationalError(1213, "Deadlock found"))


@pytest.mark.parametrize(
    ("trouble", "wanted"),
    [
        (DEADLOCK, Remedy.AGAIN),
        (error(OperationalError, pymysql.err.OperationalError(1205, "wait")), Remedy.AGAIN),
        (error(OperationalError, psycopg.errors.DeadlockDetected()), Remedy.AGAIN),
        (error(OperationalError, psycopg.errors.SerializationFailure()), Remedy.AGAIN),
        (error(OperationalError, psycopg.errors.LockNotAvailable()), Remedy.AGAIN),
        (error(IntegrityError, pymysql.err.IntegrityError(1062, "Duplicate")), Remedy.AGAIN),
        (error(OperationalError, pymysql.err.OperationalError(2013, "Lost")), Remedy.UNAVAILABLE),
        (error(OperationalError, pymysql.err.OperationalError(1290, "r/o")), Remedy.UNAVAILABLE),
        (error(InternalError, pymysql.err.InternalError(1047, "WSREP")), Remedy.UNAVAILABLE),
        (error(OperationalError, psycopg.errors.QueryCanceled()), Remedy.UNAVAILABLE),
        (error(OperationalError, psycopg.errors.AdminShutdown()), Remedy.UNAVAILABLE),
        (error(InterfaceError, pymysql.err.InterfaceError(0, "")), Remedy.UNAVAILABLE),
        (error(ProgrammingError, Exception(), broken=True), Remedy.UNAVAILABLE),
        (PoolTimeout("pool"), Remedy.UNAVAILABLE),
        (error(ProgrammingError, pymysql.err.ProgrammingError(1146, "table")), Remedy.RAISE),
        (error(DataError, pymysql.err.DataError(1406, "too long")), Remedy.RAISE),
        (SQLAlchemyError("misuse"), Remedy.RAISE),
    ],
)
def test_every_error_has_its_remedy(trouble: SQLAlchemyError, wanted: Remedy) -> None:
    assert remedy(trouble) is wanted


class Work:
    """Fails with the errors that it was given, one per run, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.runs = 0

    def __call__(self, connection: Connection) -> int:
        self.runs += 1
        connection.execute(text("CREATE TABLE IF NOT EXISTS t (n INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))
        if self._errors:
            raise self._errors.pop(0)
        count: int = connection.execute(text("SELECT count(*) FROM t")).scalar_one()
        return count


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(engine_of(f"sqlite:///{tmp_path / 'db'}"))


def test_a_transaction_that_lost_runs_again_from_its_beginning(database: Database) -> None:
    work = Work(DEADLOCK, DEADLOCK)
    assert database.write(work) == 1
    assert work.runs == 3


def test_a_transaction_that_loses_for_ever_is_unavailable(database: Database) -> None:
    work = Work(*[DEADLOCK] * 99)
    with pytest.raises(Unavailable, match="Deadlock found"):
        Database.write(database, work)
    assert work.runs == 10


def test_a_key_that_is_violated_for_ever_is_an_error(database: Database) -> None:
    violated = error(IntegrityError, pymysql.err.IntegrityError(1062, "Duplicate"))
    with pytest.raises(IntegrityError):
        database.write(Work(*[violated] * 99))


def test_a_lost_connection_is_not_tried_again_by_itself(database: Database) -> None:
    work = Work(error(OperationalError, pymysql.err.OperationalError(2013, "Lost connection")))
    with pytest.raises(Unavailable, match="Lost connection"):
        database.write(work)
    assert work.runs == 1


def test_a_defect_is_raised_as_it_is_and_rolled_back(database: Database) -> None:
    work = Work(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        database.write(work)
    assert database.write(work) == 1


def test_a_table_that_is_missing_is_said(database: Database) -> None:
    with pytest.raises(Unavailable, match="no such table"):
        database.read(lambda connection: connection.execute(text("SELECT * FROM operations")))


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "oracle://u:hunter2@h/d", "hunter2", ""]
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="ledger") as caught:
        engine_of(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql+pymysql://u@h/d", {"connect_timeout", "read_timeout", "write_timeout"}),
        ("postgresql+psycopg://u@h/d", {"connect_timeout", "options", "tcp_user_timeout"}),
    ],
)
def test_every_wait_has_a_limit(url: str, expected: set[str]) -> None:
    assert expected <= set(arguments(url))


def test_a_named_ca_turns_tls_on_and_checks_the_name(tmp_path: Path) -> None:
    found = arguments("postgresql+psycopg://u@h/d", Tls(ca="/ca.pem", cert="/c.pem", key="/k.pem"))
    assert (found["sslmode"], found["sslrootcert"]) == ("verify-full", "/ca.pem")
    with pytest.raises(FileNotFoundError):
        arguments("mysql+pymysql://u@h/d", Tls(ca=str(tmp_path / "missing.pem")))


def arguments(url: str, tls: Tls | None = None) -> dict[str, Any]:
    """What the driver is given when the engine connects."""
    engine = engine_of(url, Limits(), tls)
    given: dict[str, Any] = {}

    def stop(_dialect: object, _record: object, _args: object, named: dict[str, Any]) -> None:
        given.update(named)
        raise ConnectionRefusedError

    event.listen(engine, "do_connect", stop)
    with pytest.raises(ConnectionRefusedError):
        engine.connect()
    return given


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(ValueError, match=r"not installed \(MySQLdb\)"):
        engine_of("mysql://u:p@h/x")
