"""The tables. Times are microseconds of ledger time; 0 means not yet.

What is queried is a column of its own; the rest of an operation is one JSON text (codec.py). Ids
compare byte by byte on every database. Changing a table: write a migration too; a test compares.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = (
    String(255)
    .with_variant(String(255, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin"), "mysql")
    .with_variant(mysql.VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin"), "mariadb")
)
DOCUMENT = (
    Text()
    .with_variant(mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql")
    .with_variant(mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mariadb")
)
WORD = String(32)
MICROS = BigInteger()
NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers only INTEGER keys


def _micros(name: str) -> Column[int]:
    return Column(name, MICROS, nullable=False, default=0)


operations = Table(
    "operations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("subject", ID, nullable=False),
    Column("seq", BigInteger, nullable=False),  # order of acceptance on the subject
    Column("project", ID, nullable=False),
    Column("command", String(64), nullable=False),
    Column("manager", WORD, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("phase", WORD, nullable=False),
    Column("owner", ID, nullable=False),
    Column("version", BigInteger, nullable=False),
    _micros("accepted"),
    _micros("opened"),
    _micros("deadline"),
    _micros("finished"),
    Column("cancelled", ID),  # id of the command that cancelled it; saves leave it alone
    Column("fingerprint", String(160), nullable=False),
    Column(
        "request", DOCUMENT, nullable=False
    ),  # command and scope; written once, wiped at the end
    Column("basis", DOCUMENT),  # the record at opening
    Column("state", DOCUMENT, nullable=False),  # what a save changes
    UniqueConstraint("subject", "seq"),
    Index(None, "phase", "owner", "accepted"),
    Index(None, "phase", "accepted"),
    Index(None, "finished"),
)

locks = Table(
    "locks",
    metadata,
    Column("subject", ID, primary_key=True),
    Column("operation", ID, nullable=False),
)

instances = Table(
    "instances",
    metadata,
    Column("id", ID, primary_key=True),
    Column("manager", WORD, nullable=False),
    Column("state", WORD, nullable=False),
    Column("project", ID, nullable=False),
    _micros("written"),
    Column("record", DOCUMENT, nullable=False),
    Index(None, "manager", "state"),
    Index(None, "state", "written"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("id", ID, nullable=False),
    Column("operation", ID, nullable=False),  # or the migration
    Column("kind", WORD, nullable=False),
    _micros("time"),
    _micros("sent"),
    Column("event", DOCUMENT, nullable=False),
    UniqueConstraint("id"),
    Index(None, "operation"),
    Index(None, "sent", "number"),
)

migrations = Table(
    "migrations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("status", WORD, nullable=False),
    _micros("created"),
    _micros("changed"),
    Column("version", BigInteger, nullable=False),
    Column("migration", DOCUMENT, nullable=False),
    Index(None, "status", "created"),
)

migration_items = Table(
    "migration_items",
    metadata,
    Column("migration", ID, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("stage", WORD, nullable=False),
    Column("reason", WORD, nullable=False),
    Column("item", DOCUMENT, nullable=False),
    Index(None, "migration", "stage", "reason"),
)

workers = Table(
    "workers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("host", ID, nullable=False),
    _micros("started"),
    _micros("seen"),
    Column("gone", Integer, nullable=False),  # 1: retired, or found silent; it never comes back
    Column("claims", Integer, nullable=False),  # raised by each taker: one of them wins
)
