"""Migrations of fleets: a row each, and a row for each of their items; the caller holds the
transaction.

A migration's row is written by compare-and-set first, which locks it until the commit: of two
writers one goes on to the items.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from consumer.ledger.fleet import LOST, Item, Migration, Stage, Status
from consumer.ledger.sql.codec import Unreadable, Values
from consumer.ledger.sql.saving import Saving
from consumer.ledger.sql.schema import migration_items, migrations
from handlers.errors import Stale
from handlers.events import MigrationEvent
from handlers.operation import Micros

T = TypeVar("T")

#: Rows in one statement.
CHUNK = 500

_FINAL = sorted(status.value for status in Status if status.is_final)
_ACTIVE = sorted(status.value for status in Status if not status.is_final)

_KNOWN = select(migrations.c.id).where(migrations.c.id == bindparam("name"))
_NEW = insert(migrations)
_NEW_ITEMS = insert(migration_items)
_OLD_ITEMS = delete(migration_items).where(
    migration_items.c.migration == bindparam("name"),
    migration_items.c.place.in_(bindparam("places", expanding=True)),
)
#: Sets the columns that the values name.
_FENCED = update(migrations).where(
    migrations.c.id == bindparam("name"), migrations.c.version == bindparam("before")
)
_ONE = select(migrations.c.migration).where(migrations.c.id == bindparam("name"))
_NEWEST = (
    select(migrations.c.migration)
    .order_by(migrations.c.created.desc(), migrations.c.id.desc())
    .limit(bindparam("rows"))
)
_NEWEST_ACTIVE = _NEWEST.where(migrations.c.status.in_(_ACTIVE))
_PAGE = (
    select(migration_items.c.item)
    .where(
        migration_items.c.migration == bindparam("name"),
        migration_items.c.place > bindparam("after"),
    )
    .order_by(migration_items.c.place)
    .limit(bindparam("rows"))
)
_PAGE_OF = _PAGE.where(migration_items.c.stage.in_(bindparam("stages", expanding=True)))
_STAGES = (
    select(migration_items.c.stage, func.count())
    .where(migration_items.c.migration == bindparam("name"))
    .group_by(migration_items.c.stage)
)
_FAILURES = (
    select(migration_items.c.reason, func.count())
    .where(
        migration_items.c.migration == bindparam("name"),
        migration_items.c.stage.in_(sorted(stage.value for stage in LOST)),
        migration_items.c.reason != "",
    )
    .group_by(migration_items.c.reason)
)
_OVER = (
    select(migrations.c.id)
    .where(migrations.c.status.in_(_FINAL), migrations.c.changed < bindparam("before"))
    .order_by(migrations.c.changed, migrations.c.id)
    .limit(bindparam("rows"))
)
#: Also asks whether it is still over: somebody may have ordered its rollback since.
_FORGET = delete(migrations).where(
    migrations.c.id == bindparam("name"),
    migrations.c.status.in_(_FINAL),
    migrations.c.changed < bindparam("before"),
)
_FORGET_ITEMS = delete(migration_items).where(migration_items.c.migration == bindparam("name"))


class Fleets:
    """Writes and reads migrations and their items."""

    def __init__(self, saving: Saving) -> None:
        self._saving = saving
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self._migration = msgspec.json.Decoder(Migration)
        self._item = msgspec.json.Decoder(Item)

    def start(
        self,
        connection: Connection,
        migration: Migration,
        items: Sequence[Item],
        events: Sequence[MigrationEvent],
    ) -> bool:
        """As FleetLedger.start_migration promises; the key stops one of two who see none."""
        if connection.execute(_KNOWN, {"name": migration.id}).first() is not None:
            return False
        connection.execute(_NEW, {"id": migration.id, **self._values(migration)})
        for some in chunks(items):
            connection.execute(_NEW_ITEMS, [self._row(item) for item in some])
        self._saving.tell(connection, events)
        return True

    def save(
        self,
        connection: Connection,
        migration: Migration,
        items: Sequence[Item],
        events: Sequence[MigrationEvent],
    ) -> Migration:
        """As FleetLedger.save_migration promises."""
        after = replace(migration, version=migration.version + 1)
        fence = {"name": migration.id, "before": migration.version}
        if connection.execute(_FENCED, {**self._values(after), **fence}).rowcount != 1:
            raise Stale(f"migration {migration.id} was changed by somebody else")
        last = {item.place: item for item in items}
        for some in chunks(sorted(last)):
            connection.execute(_OLD_ITEMS, {"name": migration.id, "places": some})
            connection.execute(_NEW_ITEMS, [self._row(last[place]) for place in some])
        self._saving.tell(connection, events)
        return after

    def _values(self, migration: Migration) -> Values:
        return {
            "status": migration.status.value,
            "created": migration.created,
            "changed": migration.changed,
            "version": migration.version,
            "migration": self._encoder.encode(migration).decode(),
        }

    def _row(self, item: Item) -> Values:
        return {
            "migration": item.migration,
            "place": item.place,
            "stage": item.stage.value,
            "reason": item.reason,
            "item": self._encoder.encode(item).decode(),
        }

    # -- views ----------------------------------------------------------------------------------

    def one(self, connection: Connection, name: str) -> Migration | None:
        """Raises Unreadable."""
        text = connection.execute(_ONE, {"name": name}).scalar()
        return _read(self._migration, text) if text else None

    def newest(
        self, connection: Connection, limit: int, *, active_only: bool
    ) -> tuple[Migration, ...]:
        """Those that this release can read: a newer one carries on what it began."""
        statement = _NEWEST_ACTIVE if active_only else _NEWEST
        found = []
        for text in connection.execute(statement, {"rows": limit}).scalars():
            try:
                found.append(_read(self._migration, text))
            except Unreadable:
                continue
        return tuple(found)

    def page(
        self, connection: Connection, name: str, stages: Collection[Stage], limit: int, after: int
    ) -> tuple[Item, ...]:
        """Raises Unreadable."""
        values: dict[str, Any] = {"name": name, "after": after, "rows": limit}
        if stages:
            values["stages"] = sorted(stage.value for stage in stages)
        texts = connection.execute(_PAGE_OF if stages else _PAGE, values).scalars()
        return tuple(_read(self._item, text) for text in texts)


def stages(connection: Connection, name: str) -> dict[Stage, int]:
    """How many items of a migration are at which stage."""
    return {Stage(stage): count for stage, count in connection.execute(_STAGES, {"name": name})}


def failures(connection: Connection, name: str) -> dict[str, int]:
    """How many items of a migration were lost for which reason."""
    return {row.reason: row[1] for row in connection.execute(_FAILURES, {"name": name})}


def over(connection: Connection, before: Micros, limit: int) -> Sequence[str]:
    """Migrations that ended before `before`, the oldest first."""
    return connection.execute(_OVER, {"before": before, "rows": limit}).scalars().all()


def forget(connection: Connection, name: str, before: Micros) -> int:
    """Forget a migration with its items, if it still is one that ended before `before`; how many
    rows that were.

    The row goes first: a rollback that is ordered meanwhile finds all of the migration, or nothing.
    """
    removed = connection.execute(_FORGET, {"name": name, "before": before}).rowcount
    if removed:
        removed += connection.execute(_FORGET_ITEMS, {"name": name}).rowcount
    return removed


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in parts of a size that one statement takes."""
    for first in range(0, len(values), CHUNK):
        yield values[first : first + CHUNK]


def _read(decoder: "msgspec.json.Decoder[T]", text: str) -> T:
    try:
        return decoder.decode(text)
    except msgspec.MsgspecError as error:
        raise Unreadable(f"a migration cannot be read: {error}") from None
