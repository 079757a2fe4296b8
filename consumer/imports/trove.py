"""Rows of Trove's own database: it is read in one transaction, and never written.

Tables as Trove makes them since Ocata (trove/db/sqlalchemy/migrations); the columns that are not
named here are never read. Trove's rules of security groups are not read at all: the cloud's count.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    NullPool,
    String,
    Table,
    create_engine,
    inspect,
    or_,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from consumer.imports.rows import Row, Unreadable
from handlers.secret import Secret

#: Seconds until an attempt to connect is given up, and until an answer is.
_CONNECT = 10
_ANSWER = 120

_TABLES = MetaData()

_INSTANCES = Table(
    "instances",
    _TABLES,
    Column("id", String(36)),
    Column("tenant_id", String(36)),
    Column("compute_instance_id", String(36)),
    Column("volume_id", String(36)),
    Column("volume_size", Integer),
    Column("flavor_id", String(255)),
    Column("region_id", String(255)),
    Column("task_id", Integer),
    Column("task_description", String(255)),
    Column("deleted", Boolean),
)
_GROUPS = Table(
    "security_groups",
    _TABLES,
    Column("id", String(36)),
    Column("deleted", Boolean),
)
_ASSOCIATIONS = Table(
    "security_group_instance_associations",
    _TABLES,
    Column("security_group_id", String(36)),
    Column("instance_id", String(36)),
    Column("created", DateTime),
    Column("deleted", Boolean),
)


def rows_of_trove(url: Secret) -> tuple[Row, ...]:
    """Every instance that Trove has and did not delete, by id; raises Unreadable.

    `url` is a SQLAlchemy URL of MariaDB or MySQL, as in trove.conf. No password reaches a message.
    """
    engine = create_engine(
        _mysql(url),
        connect_args={
            "connect_timeout": _CONNECT,
            "read_timeout": _ANSWER,
            "write_timeout": _ANSWER,
        },
        isolation_level="REPEATABLE READ",
        poolclass=NullPool,
        hide_parameters=True,
    )
    try:
        with engine.connect() as connection:
            return _read(connection)
    except SQLAlchemyError as error:
        raise Unreadable(f"Trove's database: {_words(error)}") from None


def _mysql(url: Secret) -> URL:
    try:
        parsed = make_url(url.reveal())
        fits = parsed.get_backend_name() in ("mysql", "mariadb") and bool(parsed.database)
        fits = fits and parsed.get_driver_name() == "pymysql"
    except (SQLAlchemyError, ValueError):
        fits = False
    if not fits:
        raise Unreadable(
            "the URL of Trove's database cannot be used: "
            "write mysql+pymysql://user:password@host:3306/trove"
        )
    return parsed


def _read(connection: Connection) -> tuple[Row, ...]:
    """All of it from one snapshot, in a transaction that the server lets nobody write in."""
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    groups = _groups(connection)
    found = connection.execute(
        select(_INSTANCES).where(_live(_INSTANCES)).order_by(_INSTANCES.c.id)
    ).mappings()
    rows = tuple(_row(dict(raw), groups) for raw in found)
    connection.rollback()
    return rows


def _groups(connection: Connection) -> dict[str, str]:
    """Security groups by instance, which only older Troves wrote down."""
    there = inspect(connection).get_table_names()
    if not {_GROUPS.name, _ASSOCIATIONS.name} <= set(there):
        return {}
    statement = (
        select(_ASSOCIATIONS.c.instance_id, _GROUPS.c.id)
        .join(_GROUPS, _GROUPS.c.id == _ASSOCIATIONS.c.security_group_id)
        .where(_live(_ASSOCIATIONS), _live(_GROUPS))
        .order_by(_ASSOCIATIONS.c.created)
    )
    found: Sequence[Any] = connection.execute(statement).all()
    return {instance: group for instance, group in found if instance}


def _live(table: Table) -> ColumnElement[bool]:
    return or_(table.c.deleted.is_(None), table.c.deleted == 0)


def _row(raw: dict[str, Any], groups: dict[str, str]) -> Row:
    one = raw["id"]
    return Row(
        id=one,
        project=raw["tenant_id"] or "",
        server=raw["compute_instance_id"] or "",
        volume=raw["volume_id"] or "",
        security_group=groups.get(one, ""),
        flavor=raw["flavor_id"] or "",
        volume_size=raw["volume_size"] or 0,
        region=raw["region_id"] or "",
        task=raw["task_id"] or 1,
        doing=raw["task_description"] or "",
    )


def _words(error: SQLAlchemyError) -> str:
    """The driver's own words in one line; SQLAlchemy's text would add the statement."""
    return " ".join(str(getattr(error, "orig", None) or error).split())[:300]
