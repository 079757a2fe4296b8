"""What retention does with migrations that have ended: all of one goes, or nothing."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection

from consumer.ledger.fleet import Stage, Status
from consumer.ledger.sql.database import Database
from consumer.ledger.sql.ledger import SqlLedger
from handlers.errors import Stale
from handlers.operation import SECOND
from tests.contract.ledger.builders import EPOCH
from tests.contract.ledger.fleets import item, migration
from tests.contract.ledger.racing import at_once
from tests.contract.ledger.sites import Site, SqlSite

T = TypeVar("T")


class ReadsTooEarly(Database):
    """Between what is read and what is written, somebody else writes."""

    meanwhile: Callable[[], object]

    def read(self, work: Callable[[Connection], T]) -> T:
        found = super().read(work)
        self.meanwhile()
        return found


def test_retention_forgets_migrations_that_ended_with_their_items(site: Site) -> None:
    ledger = site.ledger
    over = [migration(f"m{n}", Status.DONE, EPOCH + n) for n in range(3)]
    for one in (*over, migration("m3")):
        ledger.start_migration(one, [item(place, name=one.id) for place in range(4)], [])
    assert ledger.prune(EPOCH, 100) == 0
    assert ledger.prune(EPOCH + 2, 100) == 2 * (4 + 1)
    assert [one.id for one in ledger.migrations()] == ["m2", "m3"]
    assert (ledger.items("m1"), len(ledger.items("m2"))) == ((), 4)


def test_retention_forgets_a_migration_whole_or_not_at_all(site: Site) -> None:
    ledger = site.ledger
    for name, created in (("m1", EPOCH), ("m2", EPOCH + 1)):
        items = [item(place, name=name) for place in range(1100)]
        ledger.start_migration(migration(name, Status.ABORTED, created), items, [])
    before = EPOCH + SECOND
    assert ledger.prune(before, 600) == 1101
    assert [one.id for one in ledger.migrations()] == ["m2"]
    assert (ledger.stages("m1"), ledger.stages("m2")) == ({}, {Stage.PLANNED: 1100})
    assert [ledger.prune(before, 600) for _ in range(2)] == [1101, 0]
    assert (ledger.migrations(), ledger.stages("m2")) == ((), {})


def test_retention_leaves_a_migration_that_is_rolled_back_meanwhile(sql_site: SqlSite) -> None:
    over = migration("m1", Status.DONE)
    items = tuple(item(place, Stage.COMMITTED) for place in range(4))
    sql_site.ledger.start_migration(over, items, [])
    back = replace(over, status=Status.ROLLING_BACK, changed=EPOCH + SECOND)
    database = ReadsTooEarly(sql_site.engine)
    database.meanwhile = partial(sql_site.ledger.save_migration, back, [], [])
    late = SqlLedger(database, sql_site.vault, now=sql_site.clock.now)
    assert late.prune(EPOCH + 1, 100) == 0
    assert sql_site.ledger.migration("m1") == replace(back, version=1)
    assert sql_site.ledger.items("m1") == items


def test_of_retention_and_a_rollback_at_once_one_wins(site: Site) -> None:
    one, two = site.ledger, site.another()
    for n in range(8):
        over = migration(f"m{n}", Status.DONE)
        one.start_migration(over, [item(place, name=over.id) for place in range(50)], [])
        back = replace(over, status=Status.ROLLING_BACK)
        calls: list[Callable[[], object]] = [
            partial(one.prune, EPOCH + 1, 500),
            partial(two.save_migration, back, [], []),
        ]
        removed, saved = at_once(calls)
        if isinstance(saved, Stale):
            assert (removed, one.migration(over.id), one.stages(over.id)) == (51, None, {})
        else:
            assert (removed, one.migration(over.id)) == (0, replace(back, version=1))
            assert one.stages(over.id) == {Stage.PLANNED: 50}
