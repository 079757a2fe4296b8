"""No call of a worker's tick reads a whole table (as SQLite plans it)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event

from consumer.ledger.fleet import Stage
from consumer.secrets import Vault
from handlers.operation import SECOND
from tests.contract.ledger.builders import (
    EPOCH,
    VirtualClock,
    accept,
    offer,
    opened,
    opener,
    record,
    removal,
    success,
)
from tests.contract.ledger.fleets import item, migration, news, started
from tests.contract.ledger.sites import SqlSite

BIG = ("operations", "outbox", "instances", "locks", "migration_items")


@pytest.fixture
def site(engines: Callable[[str], Engine], clock: VirtualClock, vault: Vault) -> SqlSite:
    """A ledger in SQLite with a history."""
    site = SqlSite(engines("sqlite"), clock, vault)
    site.clear()
    for n in range(300):
        op = opened(site.ledger, f"c{n}", f"s{n}")
        if n % 3:
            site.ledger.finish(success(op, clock.now(), record(f"s{n}")))
    accept(site.ledger, *(offer(f"q{n}", f"s{n}") for n in range(300)))
    started(site.ledger, [item(n) for n in range(300)])
    return site


def plans(site: SqlSite, call: Callable[[], object]) -> list[str]:
    """How SQLite runs what the call asks for."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            asked.append((statement, values[0] if isinstance(values, list) else values))

    event.listen(site.engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(site.engine, "before_cursor_execute", note)
    with site.engine.connect() as connection:
        return [
            str(step[3])
            for statement, values in asked
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]


def calls(site: SqlSite) -> dict[str, Callable[[], object]]:
    ledger, now = site.ledger, site.clock.now()
    (op,) = (op for op in ledger.owned("w1") if op.id == "c0")
    return {
        "heartbeat": lambda: ledger.register("w1", "host"),
        "take_over": lambda: ledger.take_over("w1", 30 * SECOND, 10),
        "cancelled": lambda: ledger.cancelled("w1"),
        "owned": lambda: ledger.owned("w1"),
        "expire": lambda: ledger.expire(EPOCH - 1, now),
        "accept": lambda: ledger.accept([removal("d1", "s1"), offer("c0", "s0")], "w1"),
        "open own": lambda: ledger.open("w1", opener, 10),
        "open others": lambda: ledger.open("w2", opener, 10),
        "save": lambda: ledger.save(op.note(now, "looked")),
        "unsent": lambda: ledger.unsent(50),
        "sent": lambda: ledger.sent([event.id for event in ledger.unsent(2)]),
        "instances": lambda: ledger.instances(after="s1", limit=10),
        "operations_of": lambda: ledger.operations_of(["c0", "c1"]),
        "import_records": lambda: ledger.import_records([record("s1"), record("new")]),
        "pin": lambda: ledger.pin("new", pinned=True),
        "migrations": lambda: ledger.migrations(active_only=True),
        "items": lambda: ledger.items("m1", [Stage.PLANNED], limit=10, after=5),
        "stages": lambda: ledger.stages("m1"),
        "failures": lambda: ledger.failures("m1"),
        "save_migration": lambda: ledger.save_migration(migration(), [item(3)], [news()]),
        "events": lambda: ledger.events("c0"),
        "prune": lambda: ledger.prune(EPOCH - 1, 100),
    }


def test_no_call_of_a_tick_reads_a_whole_table(site: SqlSite) -> None:
    scans = {
        name: [plan for plan in plans(site, call) if _scans(plan)]
        for name, call in calls(site).items()
    }
    assert {name: found for name, found in scans.items() if found} == {}


def test_the_check_sees_a_scan(site: SqlSite) -> None:
    assert any(_scans(plan) for plan in plans(site, lambda: site.ledger.operations(limit=5)))


def _scans(plan: str) -> bool:
    words = plan.split()
    return words[0] == "SCAN" and words[1] in BIG
