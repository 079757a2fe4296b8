"""Rows of Trove's database, on a real MariaDB with Trove's tables: read by a user who may not
write, and left as they were.

The tables have the columns and types that Trove's first Alembic revision gives them, but for those
that nothing here is about.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from consumer.imports.rows import Row, Unreadable
from consumer.imports.trove import rows_of_trove
from handlers.secret import Secret
from tests.support.databases import fresh_database
from tests.support.services import MARIADB, MARIADB_READER, need

TABLES = (
    """CREATE TABLE instances (
        id VARCHAR(36) PRIMARY KEY, created DATETIME, updated DATETIME, name VARCHAR(255),
        compute_instance_id VARCHAR(36), task_id INTEGER, task_description VARCHAR(255),
        volume_id VARCHAR(36), flavor_id VARCHAR(255), volume_size INTEGER, tenant_id VARCHAR(36),
        server_status VARCHAR(64), deleted BOOL, deleted_at DATETIME, region_id VARCHAR(255),
        encrypted_key VARCHAR(255), access TEXT)""",
    """CREATE TABLE security_groups (
        id VARCHAR(36) PRIMARY KEY, name VARCHAR(255), description VARCHAR(255), user VARCHAR(255),
        tenant_id VARCHAR(255), created DATETIME, updated DATETIME, deleted BOOL,
        deleted_at DATETIME)""",
    """CREATE TABLE security_group_instance_associations (
        id VARCHAR(36) PRIMARY KEY,
        security_group_id VARCHAR(36) REFERENCES security_groups (id),
        instance_id VARCHAR(36) REFERENCES instances (id),
        created DATETIME, updated DATETIME, deleted BOOL, deleted_at DATETIME)""",
)


class Database:
    """Trove's database, with ways to fill it, and the URL of a user who may only SELECT."""

    def __init__(self, url: str, reader: str) -> None:
        self._engine: Engine = create_engine(url)
        name = make_url(url).database
        shown = make_url(reader).set(database=name).render_as_string(hide_password=False)
        self.reader = Secret(shown)
        self.run(*TABLES)

    def run(self, *statements: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            for each in statements:
                connection.execute(text(each), values)

    def instance(self, one: str, **values: Any) -> None:
        row = {"id": one, "task_id": 1, "deleted": False, **values}
        columns = ", ".join(row)
        self.run(f"INSERT INTO instances ({columns}) VALUES (:{', :'.join(row)})", **row)

    def group(self, one: str, instance: str, *, deleted: bool = False) -> None:
        self.run(
            "INSERT INTO security_groups (id, deleted) VALUES (:group, :deleted)",
            "INSERT INTO security_group_instance_associations "
            "(id, security_group_id, instance_id, deleted) VALUES (:id, :group, :one, :deleted)",
            id=f"a-{one}",
            group=one,
            one=instance,
            deleted=deleted,
        )

    def checksums(self) -> list[tuple[Any, ...]]:
        tables = "instances, security_groups, security_group_instance_associations"
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(f"CHECKSUM TABLE {tables}"))]

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def database() -> Iterator[Database]:
    reader = need(MARIADB_READER)
    with fresh_database(need(MARIADB)) as url:
        database = Database(url, reader)
        yield database
        database.close()


def test_a_user_who_may_only_select_reads_every_living_instance(database: Database) -> None:
    database.instance(
        "i-2",
        tenant_id="p-1",
        compute_instance_id="s-2",
        volume_id="v-2",
        volume_size=5,
        flavor_id="2",
        region_id="RegionOne",
        task_description="No tasks for the instance.",
        encrypted_key="pl4nted",
    )
    database.instance("i-1", task_id=5, task_description="The instance is building.")
    database.instance("i-3", deleted=True)
    database.instance("i-4", deleted=None, task_id=None)
    before = database.checksums()

    rows = rows_of_trove(database.reader)

    assert rows == (
        Row(id="i-1", task=5, doing="The instance is building."),
        Row(
            id="i-2",
            project="p-1",
            server="s-2",
            volume="v-2",
            flavor="2",
            volume_size=5,
            region="RegionOne",
            doing="No tasks for the instance.",
        ),
        Row(id="i-4"),
    )
    assert database.checksums() == before


def test_groups_that_old_troves_wrote_down_are_read(database: Database) -> None:
    database.instance("i-1")
    database.instance("i-2")
    database.group("g-1", "i-1")
    database.group("g-2", "i-2", deleted=True)

    assert [row.security_group for row in rows_of_trove(database.reader)] == ["g-1", ""]


def test_a_trove_without_tables_of_groups_is_read_too(database: Database) -> None:
    database.instance("i-1")
    database.run("DROP TABLE security_group_instance_associations", "DROP TABLE security_groups")

    assert rows_of_trove(database.reader) == (Row(id="i-1"),)


def test_another_database_is_told_in_the_server_s_own_words(database: Database) -> None:
    database.run(
        "DROP TABLE security_group_instance_associations",
        "DROP TABLE security_groups",
        "DROP TABLE instances",
    )

    with pytest.raises(Unreadable, match=r"instances' doesn't exist"):
        rows_of_trove(database.reader)


def test_a_wrong_password_is_told_without_the_password(database: Database) -> None:
    wrong = make_url(database.reader.reveal()).set(password="pl4nted")

    with pytest.raises(Unreadable, match="Access denied") as caught:
        rows_of_trove(Secret(wrong.render_as_string(hide_password=False)))

    assert "pl4nted" not in str(caught.value)
