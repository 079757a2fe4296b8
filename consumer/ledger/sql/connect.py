"""Engines: one per database, with time-outs on everything, TLS where a CA is named.

MariaDB and MySQL count matched rows, as the other databases do (SQLAlchemy asks for FOUND_ROWS).
READ COMMITTED everywhere: what a committed transaction wrote is seen by the next statement, and
InnoDB takes no gap locks.
"""

import ssl
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

#: Execution option of connections that only read: SQLite then takes no write lock.
READS = "trove_resources_reads"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Connections kept at most, and seconds after which a wait is given up."""

    pool_size: int = 5
    connect_timeout: float = 5.0
    statement_timeout: float = 10.0


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """Files for TLS to the database; naming the CA turns it on, with the server's name checked."""

    ca: str = ""
    cert: str = ""
    key: str = ""


def engine_of(url: str, limits: Limits | None = None, tls: Tls | None = None) -> Engine:
    """An engine for the URL; connects to nothing yet.

    Raises ValueError for a URL or driver that cannot be used; the text holds no password.
    """
    limits = limits or Limits()
    try:
        parsed = make_url(url)
        dialect = parsed.get_backend_name()
        build = _BUILDERS[dialect]
    except KeyError:
        raise ValueError(
            f"the ledger cannot be kept in {dialect}: use mysql+pymysql, postgresql+psycopg or"
            " sqlite"
        ) from None
    except Exception as error:
        raise ValueError("the ledger's URL is no SQLAlchemy URL") from error
    try:
        return build(parsed, limits, tls or Tls())
    except ImportError as error:
        raise ValueError(
            f"its driver is not installed ({error.name}): use mysql+pymysql, postgresql+psycopg"
            " (install trove-resources[postgresql]) or sqlite"
        ) from None


def _mysql(url: URL, limits: Limits, tls: Tls) -> Engine:
    wait = max(1, int(limits.statement_timeout) // 2)
    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        "connect_timeout": _seconds(limits.connect_timeout),
        "read_timeout": _seconds(limits.statement_timeout),
        "write_timeout": _seconds(limits.statement_timeout),
        # strict: a text that does not fit is an error on every server, not a shorter text
        "init_command": f"SET SESSION sql_mode='TRADITIONAL', innodb_lock_wait_timeout={wait}",
    }
    if tls.ca:
        arguments["ssl"] = _context(tls)
    return _server(url, limits, arguments)


def _postgresql(url: URL, limits: Limits, tls: Tls) -> Engine:
    milliseconds = int(limits.statement_timeout * 1000)
    arguments: dict[str, Any] = {
        "connect_timeout": _seconds(limits.connect_timeout),
        "options": f"-c statement_timeout={milliseconds}",
        # a server that is gone without a word: given up after as long
        "tcp_user_timeout": milliseconds,
        "keepalives_idle": 10,
    }
    if tls.ca:
        files = {"sslrootcert": tls.ca, "sslcert": tls.cert, "sslkey": tls.key}
        arguments.update(sslmode="verify-full", **{k: v for k, v in files.items() if v})
    return _server(url, limits, arguments)


def _server(url: URL, limits: Limits, arguments: dict[str, Any]) -> Engine:
    return create_engine(
        url,
        connect_args=arguments,
        isolation_level="READ COMMITTED",
        pool_size=limits.pool_size,
        max_overflow=0,
        pool_timeout=limits.statement_timeout,
        pool_pre_ping=True,
        pool_recycle=3600,
        pool_reset_on_return=None,  # every transaction is ended by hand: a round trip saved
        hide_parameters=True,
    )


def _sqlite(url: URL, limits: Limits, _tls: Tls) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("a ledger in SQLite needs a file: sqlite:////var/lib/…/ledger.db")
    engine = create_engine(
        url,
        connect_args={"timeout": limits.statement_timeout, "check_same_thread": False},
        pool_size=limits.pool_size,
        max_overflow=0,
        pool_timeout=limits.statement_timeout,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Transactions are begun by hand; a commit is on the disk when it returns."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once: a reader that turns into a writer would find it taken."""
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca)
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key or None)
    return context


def _seconds(value: float) -> int:
    return max(1, round(value))


_BUILDERS: dict[str, Callable[[URL, Limits, Tls], Engine]] = {
    "mysql": _mysql,
    "mariadb": _mysql,
    "postgresql": _postgresql,
    "sqlite": _sqlite,
}
