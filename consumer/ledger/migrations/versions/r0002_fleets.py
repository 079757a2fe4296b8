"""Migrations of fleets, and their items."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
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


def upgrade() -> None:
    """Two tables more; those that are there stay as they are."""
    op.create_table(
        "migrations",
        sa.Column("id", _id(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("migration", _document(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_migrations"),
    )
    op.create_index("ix_migrations_status_created", "migrations", ["status", "created"])
    op.create_table(
        "migration_items",
        sa.Column("migration", _id(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("item", _document(), nullable=False),
        sa.PrimaryKeyConstraint("migration", "place", name="pk_migration_items"),
    )
    op.create_index(
        "ix_migration_items_migration_stage_reason",
        "migration_items",
        ["migration", "stage", "reason"],
    )
