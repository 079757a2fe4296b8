"""Migrations of the ledger: `upgrade` for `db upgrade`, `is_current` for start-up checks."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

#: The ledger may share a database with others that use Alembic: its version has its own table.
VERSION_TABLE = "trove_resources_version"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the tables to this release's form, whatever they hold; does nothing when they are."""
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None before the first `upgrade`."""
    with engine.connect() as connection:
        return _current(connection)


def newest() -> str:
    """The revision that this release needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there is at least one migration"  # noqa: S101
    return head


def is_current(engine: Engine) -> bool:
    """Whether the database is at the revision that this release needs."""
    return current(engine) == newest()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "consumer.ledger:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _current(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()
