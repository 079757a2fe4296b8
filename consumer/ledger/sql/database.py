"""Transactions: retried when the database asks for it, Unavailable when it does not answer."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from consumer.clock import LedgerClock
from consumer.ledger.base import Unavailable
from consumer.ledger.sql.connect import READS
from handlers.operation import Micros

T = TypeVar("T")

#: Deadlock, lock wait time-out (MariaDB); serialization, deadlock, lock not available (PostgreSQL).
_MYSQL_AGAIN = frozenset({1205, 1213})
_POSTGRESQL_AGAIN = frozenset({"40001", "40P01", "55P03"})

_ATTEMPTS = 10

_TIME = {
    "mysql": "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)",
    "postgresql": "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
    "sqlite": "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000",
}


class Remedy(Enum):
    """What a database error asks for."""

    AGAIN = "the transaction was rolled back: run it again"
    UNAVAILABLE = "the database cannot be reached or did not answer"
    RAISE = "a defect, or a value that the database does not take"


class Database:
    """One database. `write` and `read` may be called from any thread.

    `patience`: seconds after which a transaction that keeps losing is not run again.
    """

    def __init__(self, engine: Engine, patience: float = 15.0) -> None:
        self._patience = patience
        self.dialect = "mysql" if engine.dialect.name == "mariadb" else engine.dialect.name
        self._engine = engine
        self._reader = engine.execution_options(**{READS: True})
        # SQLite has one writer at a time, and its own way to wait for it is to poll
        self._gate: AbstractContextManager[Any] = (
            threading.Lock() if self.dialect == "sqlite" else nullcontext()
        )

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, again when it lost against another one.

        `work` MUST have no effect outside the connection. An IntegrityError counts as lost: a row
        that was looked for in vain was written meanwhile. Raises Unavailable; then it was
        committed or not.
        """
        give_up = time.monotonic() + self._patience
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._gate, self._engine.begin() as connection:
                    return work(connection)
            except SQLAlchemyError as error:
                last = attempt == _ATTEMPTS or time.monotonic() > give_up
                _judge(error, last=last)
            time.sleep(random.uniform(0, 0.002 * 2**attempt))  # noqa: S311
        raise Unavailable("the database kept asking for another try")

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads, in one transaction; raises Unavailable."""
        try:
            with self._reader.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            _judge(error, last=True)
            raise

    def time(self) -> Micros:
        """The database's own time; raises Unavailable."""
        statement = text(_TIME[self.dialect])
        return self.read(lambda connection: int(connection.execute(statement).scalar_one()))

    def close(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()


class DatabaseTime:
    """The database's time, asked for now and then and carried on by the local monotonic clock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = LedgerClock()
        self._asked = False

    def read(self) -> Micros:
        """Ask the database; raises Unavailable."""
        now = self._database.time()
        self._clock.set(now, time.monotonic_ns() // 1000)
        self._asked = True
        return now

    def now(self) -> Micros:
        """Its time as it was told last, carried on; asks the first time."""
        return self._clock.now() if self._asked else self.read()


def remedy(error: SQLAlchemyError) -> Remedy:
    """What to do about an error of the database."""
    if isinstance(error, PoolTimeout):
        return Remedy.UNAVAILABLE
    if not isinstance(error, DBAPIError):
        return Remedy.RAISE
    if error.connection_invalidated:
        return Remedy.UNAVAILABLE
    if isinstance(error, IntegrityError) or _lost(error.orig):
        return Remedy.AGAIN
    if isinstance(error, OperationalError | InterfaceError | InternalError):
        return Remedy.UNAVAILABLE
    return Remedy.RAISE


def _lost(cause: BaseException | None) -> bool:
    """Whether the transaction lost against another one and was rolled back."""
    if getattr(cause, "sqlstate", None) in _POSTGRESQL_AGAIN:
        return True
    if getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return True
    code = cause.args[0] if cause is not None and cause.args else None
    return code in _MYSQL_AGAIN


def _judge(error: SQLAlchemyError, *, last: bool) -> None:
    """Return when the transaction is to run again; raise what its caller is to see."""
    verdict = remedy(error)
    if verdict is Remedy.RAISE or (last and isinstance(error, IntegrityError)):
        raise error
    if verdict is Remedy.UNAVAILABLE or last:
        raise Unavailable(f"the ledger's database: {_reason(error)}") from error


def _reason(error: SQLAlchemyError) -> str:
    """The driver's own words, first line; SQLAlchemy's text would add the statement."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {cause}".splitlines()[0][:300]
