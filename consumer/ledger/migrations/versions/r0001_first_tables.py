"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BINARY = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}


def _id() -> sa.types.TypeEngine[str]:
    """Compares byte by byte everywhere."""
    here = mysql.VARCHAR(255, **_BINARY)
    return (
        sa.String(255)
        .with_variant(sa.String(255, collation="C"), "postgresql")
        .with_variant(here, "mysql")
        .with_variant(here, "mariadb")
    )


def _document() -> sa.types.TypeEngine[str]:
    here = mysql.MEDIUMTEXT(**_BINARY)
    return sa.Text().with_variant(here, "mysql").with_variant(here, "mariadb")


def _whole(name: str, kind: type[sa.Integer] = sa.BigInteger) -> sa.Column[int]:
    return sa.Column(name, kind(), nullable=False)


def upgrade() -> None:
    """From nothing to the first tables."""
    _operations()
    op.create_table(
        "locks",
        sa.Column("subject", _id(), nullable=False),
        sa.Column("operation", _id(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_locks"),
    )
    op.create_table(
        "instances",
        sa.Column("id", _id(), nullable=False),
        sa.Column("manager", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("project", _id(), nullable=False),
        _whole("written"),
        sa.Column("record", _document(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
    )
    op.create_index("ix_instances_manager_state", "instances", ["manager", "state"])
    op.create_index("ix_instances_state_written", "instances", ["state", "written"])
    _outbox()
    op.create_table(
        "workers",
        sa.Column("id", _id(), nullable=False),
        sa.Column("host", _id(), nullable=False),
        _whole("started"),
        _whole("seen"),
        _whole("gone", sa.Integer),
        _whole("claims", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )


def _operations() -> None:
    op.create_table(
        "operations",
        sa.Column("id", _id(), nullable=False),
        sa.Column("subject", _id(), nullable=False),
        _whole("seq"),
        sa.Column("project", _id(), nullable=False),
        sa.Column("command", sa.String(64), nullable=False),
        sa.Column("manager", sa.String(32), nullable=False),
        _whole("revision", sa.Integer),
        sa.Column("phase", sa.String(32), nullable=False),
        sa.Column("owner", _id(), nullable=False),
        _whole("version"),
        _whole("accepted"),
        _whole("opened"),
        _whole("deadline"),
        _whole("finished"),
        sa.Column("cancelled", _id(), nullable=True),
        sa.Column("fingerprint", sa.String(160), nullable=False),
        sa.Column("request", _document(), nullable=False),
        sa.Column("basis", _document(), nullable=True),
        sa.Column("state", _document(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operations"),
        sa.UniqueConstraint("subject", "seq", name="uq_operations_subject_seq"),
    )
    op.create_index(
        "ix_operations_phase_owner_accepted", "operations", ["phase", "owner", "accepted"]
    )
    op.create_index("ix_operations_phase_accepted", "operations", ["phase", "accepted"])
    op.create_index("ix_operations_finished", "operations", ["finished"])


def _outbox() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "outbox",
        sa.Column("number", number, autoincrement=True, nullable=False),
        sa.Column("id", _id(), nullable=False),
        sa.Column("operation", _id(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        _whole("time"),
        _whole("sent"),
        sa.Column("event", _document(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_outbox"),
        sa.UniqueConstraint("id", name="uq_outbox_id"),
    )
    op.create_index("ix_outbox_operation", "outbox", ["operation"])
    op.create_index("ix_outbox_sent_number", "outbox", ["sent", "number"])
