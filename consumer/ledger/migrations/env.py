"""Alembic's entry: runs the migrations on the connection that `upgrade` hands over."""

from alembic import context

from consumer.ledger.migrations import VERSION_TABLE
from consumer.ledger.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
