"""Migrations of fleets: started once, changed by one writer at a time, told in the same commit."""

from functools import partial

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from consumer.ledger.base import Ledger, Unavailable
from consumer.ledger.fleet import Migration, Stage, Status
from consumer.ledger.sql.codec import Unreadable
from consumer.ledger.sql.schema import migrations
from handlers.errors import Stale
from handlers.events import MigrationEvent, MigrationKind
from tests.contract.ledger.builders import EPOCH, failure, opened, record, success
from tests.contract.ledger.fleets import item, migration, news, started
from tests.contract.ledger.racing import at_once
from tests.contract.ledger.sites import Site, SqlSite
from tests.contract.ledger.test_failures import Dies, DiesBeforeCommit, deaf


def test_a_migration_comes_back_as_it_was_started(ledger: Ledger) -> None:
    items = tuple(item(place) for place in range(3))
    first = started(ledger, items)
    assert ledger.migration("m1") == first
    assert ledger.items("m1") == items
    assert ledger.unsent(10) == (news(),)
    assert (ledger.migration("m2"), ledger.items("m2"), ledger.stages("m2")) == (None, (), {})


def test_a_second_start_changes_nothing(ledger: Ledger) -> None:
    first = started(ledger, [item(0)])
    other = replace(migration(status=Status.PAUSED), fingerprint="other")
    assert not ledger.start_migration(other, [item(0, Stage.FAILED), item(1)], [news(number=9)])
    assert (ledger.migration("m1"), ledger.items("m1")) == (first, (item(0),))
    assert ledger.unsent(10) == (news(),)


def test_a_save_writes_the_migration_its_changed_items_and_its_events(ledger: Ledger) -> None:
    first = started(ledger, [item(place) for place in range(3)])
    held = replace(first, status=Status.HELD, batch=1, reason="canary passed", begun=())
    changed = [item(2, Stage.SOAKING), item(0, Stage.FAILED, "quota")]
    told = [news(MigrationKind.CANARY_PASSED), news(MigrationKind.HELD, 1)]
    saved = ledger.save_migration(held, changed, told)
    assert saved == replace(held, version=1) == ledger.migration("m1")
    assert ledger.items("m1") == (changed[1], item(1), changed[0])
    assert ledger.unsent(10) == (news(), *told)
    assert ledger.save_migration(saved, [], []).version == 2
    assert len(ledger.unsent(10)) == 3


def test_a_save_of_an_older_version_is_stale_and_writes_nothing(ledger: Ledger) -> None:
    first = started(ledger, [item(0)])
    saved = ledger.save_migration(first, [item(0, Stage.OBSERVED)], [])
    with pytest.raises(Stale):
        ledger.save_migration(first, [item(0, Stage.FAILED)], [news(MigrationKind.DONE)])
    with pytest.raises(Stale):
        ledger.save_migration(migration("m2"), [], [])
    assert ledger.migration("m1") == saved
    assert ledger.items("m1") == (item(0, Stage.OBSERVED),)
    assert ledger.unsent(10) == (news(),)


def test_items_are_read_by_place_page_by_page_and_by_stage(ledger: Ledger) -> None:
    planned = [item(place) for place in range(0, 10, 2)]
    failed = [item(place, Stage.FAILED, "drift") for place in range(1, 10, 2)]
    started(ledger, [*failed, *planned])
    started(ledger, [item(3, name="m2")], name="m2")
    assert [one.place for one in ledger.items("m1")] == list(range(10))
    assert [one.place for one in ledger.items("m1", limit=3, after=4)] == [5, 6, 7]
    assert ledger.items("m1", [Stage.FAILED], limit=2, after=1) == tuple(failed[1:3])
    assert ledger.items("m1", [Stage.SOAKING]) == ()
    both = ledger.items("m1", {Stage.FAILED, Stage.PLANNED})
    assert len(both) == 10


def test_stages_and_failures_are_counted(ledger: Ledger) -> None:
    started(
        ledger,
        [
            item(0),
            item(1, Stage.COMMITTED),
            item(2, Stage.FAILED, "quota"),
            item(3, Stage.FAILED, "drift"),
            item(4, Stage.ROLLED_BACK, "drift"),
            item(5, Stage.ROLLED_BACK),
            item(6, Stage.FROZEN, "quota"),
        ],
    )
    assert ledger.stages("m1") == {
        Stage.PLANNED: 1,
        Stage.COMMITTED: 1,
        Stage.FAILED: 2,
        Stage.ROLLED_BACK: 2,
        Stage.FROZEN: 1,
    }
    assert ledger.failures("m1") == {"quota": 1, "drift": 2}


def test_migrations_are_listed_newest_first_and_those_that_ended_left_out(ledger: Ledger) -> None:
    for place, status in enumerate(Status):
        one = migration(f"m{place}", status, EPOCH + place)
        assert ledger.start_migration(one, [], [])
    names = [one.id for one in ledger.migrations()]
    assert names == [f"m{place}" for place in reversed(range(len(Status)))]
    assert [one.id for one in ledger.migrations(limit=2)] == names[:2]
    active = ledger.migrations(active_only=True)
    assert {one.status for one in active} == {one for one in Status if not one.is_final}
    assert [one.id for one in ledger.migrations(active_only=True, limit=1)] == [active[0].id]


def test_ten_thousand_items_are_one_start_and_one_save(ledger: Ledger) -> None:
    first = started(ledger, [item(place) for place in range(10_000)])
    assert ledger.stages("m1") == {Stage.PLANNED: 10_000}
    skipped = [item(place, Stage.SKIPPED) for place in range(5, 10_000)]
    ledger.save_migration(first, skipped, [])
    assert ledger.stages("m1") == {Stage.PLANNED: 5, Stage.SKIPPED: 9_995}
    assert [one.place for one in ledger.items("m1", limit=2, after=9_997)] == [9_998, 9_999]


def test_of_two_workers_that_save_a_migration_one_wins_whole(site: Site) -> None:
    current = started(site.ledger, [item(place) for place in range(30)])
    views = {"one": site.ledger, "two": site.another()}
    for n in range(8):

        def save(name: str, view: Ledger, now: Migration = current, n: int = n) -> Migration:
            after = replace(now, reason=f"{name} {n}")
            items = [replace(item(place), message=f"{name} {n}") for place in range(30)]
            return view.save_migration(after, items, [news(MigrationKind.TUNED, n)])

        results = at_once([partial(save, name, view) for name, view in views.items()])
        (current,) = (one for one in results if isinstance(one, Migration))
        assert [type(one) for one in results if one is not current] == [Stale]
        assert site.ledger.migration("m1") == current
        assert {one.message for one in site.ledger.items("m1")} == {current.reason}
    assert len(site.ledger.unsent(100)) == 1 + 8


def test_of_two_workers_that_start_a_migration_one_does(site: Site) -> None:
    one, two = site.ledger, site.another()
    for n in range(5):
        name = f"m{n}"
        items = [item(place, name=name) for place in range(20)]
        calls = [
            partial(view.start_migration, migration(name), items, [news(name=name)])
            for view in (one, two)
        ]
        assert sorted(map(str, at_once(calls))) == ["False", "True"]
        assert ledger_holds(one, name) == (20, 1)


def ledger_holds(ledger: Ledger, name: str) -> tuple[int, int]:
    told = [news for news in ledger.unsent(100) if news.subject == name]
    return sum(ledger.stages(name).values()), len(told)


def test_a_start_or_save_with_a_lost_answer_is_found_written(sql_site: SqlSite) -> None:
    ledger = sql_site.ledger
    with pytest.raises(Unavailable):
        deaf(sql_site).start_migration(migration(), [item(0)], [news()])
    assert not ledger.start_migration(migration(), [item(0)], [news()])
    held = replace(migration(), status=Status.HELD)
    with pytest.raises(Unavailable):
        deaf(sql_site).save_migration(held, [item(0, Stage.SOAKING)], [])
    with pytest.raises(Stale):
        ledger.save_migration(held, [item(0, Stage.SOAKING)], [])
    assert ledger.migration("m1") == replace(held, version=1)
    assert ledger.items("m1") == (item(0, Stage.SOAKING),)


def test_a_killed_process_leaves_all_of_a_start_or_save_or_nothing(sql_site: SqlSite) -> None:
    ledger, killed = sql_site.ledger, deaf(sql_site, DiesBeforeCommit)
    items = [item(place) for place in range(1200)]
    with pytest.raises(Dies):
        killed.start_migration(migration(), items, [news()])
    assert (ledger.migrations(), ledger.items("m1"), ledger.unsent(1)) == ((), (), ())
    first = started(ledger, items)
    gone = [replace(one, stage=Stage.SKIPPED) for one in items]
    with pytest.raises(Dies):
        killed.save_migration(first, gone, [news(MigrationKind.ABORTED)])
    assert ledger.stages("m1") == {Stage.PLANNED: 1200}
    assert (ledger.migration("m1"), ledger.unsent(9)) == (first, (news(),))


def test_news_of_migrations_and_of_operations_go_out_in_one_order(site: Site) -> None:
    ledger = site.ledger
    op = opened(ledger)
    first = started(ledger)
    ledger.finish(success(op, site.clock.now(), record()))
    ledger.save_migration(first, [], [news(MigrationKind.DONE)])
    told = ledger.unsent(10)
    assert [one.type.removeprefix("trove.resources.") for one in told] == [
        "instance.create.start",
        "migration.started",
        "instance.create.end",
        "migration.done",
    ]
    assert [isinstance(one, MigrationEvent) for one in told] == [False, True, False, True]
    ledger.sent([told[1].id, told[2].id])
    assert ledger.unsent(10) == (told[0], told[3])


def test_news_of_a_migration_are_no_events_of_an_operation_of_that_name(site: Site) -> None:
    op = opened(site.ledger, "m1")
    started(site.ledger)
    site.ledger.finish(failure(op, site.clock.now()))
    assert [one.type.rpartition(".")[2] for one in site.ledger.events("m1")] == ["start", "error"]


def test_what_a_newer_release_wrote_is_left_to_it(sql_site: SqlSite) -> None:
    ledger = sql_site.ledger
    started(ledger, name="m1")
    started(ledger, name="m2")
    with sql_site.engine.begin() as connection:
        row = migrations.c.id == "m2"
        text = connection.execute(select(migrations.c.migration).where(row)).scalar_one()
        newer = text.replace('"hold"', '"invented"')
        connection.execute(update(migrations).where(row).values(migration=newer))
    assert [one.id for one in ledger.migrations(active_only=True)] == ["m1"]
    with pytest.raises(Unreadable):
        ledger.migration("m2")
