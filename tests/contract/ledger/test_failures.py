"""Databases that do not answer, answers that are lost, rows of another release, planted poison."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, select, update

from consumer.ledger.base import Unavailable, Verdict
from consumer.ledger.sql.connect import Limits, engine_of
from consumer.ledger.sql.database import Database
from consumer.ledger.sql.ledger import SqlLedger
from consumer.ledger.sql.schema import operations
from handlers.operation import SECOND, Operation, Phase
from tests.contract.ledger.builders import (
    EPOCH,
    SCOPE,
    accept,
    offer,
    opened,
    opener,
    record,
    removal,
    success,
)
from tests.contract.ledger.sites import SqlSite

T = TypeVar("T")


class LosesAnswers(Database):
    """Commits, and then the connection breaks: the caller is never told."""

    def write(self, work: Callable[[Connection], T]) -> T:
        super().write(work)
        raise Unavailable("the connection broke")


class Dies(BaseException):
    """The process is killed."""


class DiesBeforeCommit(Database):
    """Everything was sent; the commit never comes."""

    def write(self, work: Callable[[Connection], T]) -> T:
        def doomed(connection: Connection) -> T:
            work(connection)
            raise Dies

        return super().write(doomed)


def deaf(site: SqlSite, database: type[Database] = LosesAnswers) -> SqlLedger:
    return SqlLedger(database(site.engine), site.vault, now=site.clock.now)


def test_what_an_accept_with_a_lost_answer_wrote_is_known(sql_site: SqlSite) -> None:
    with pytest.raises(Unavailable):
        deaf(sql_site).accept([offer("c1"), removal("d1")], "w1")
    ledger = sql_site.ledger
    assert ledger.accept([offer("c1"), removal("d1")], "w1") == (Verdict.KNOWN, Verdict.KNOWN)
    assert [op.id for op in ledger.open("w1", opener, 10)] == ["c1"]


def test_what_an_open_with_a_lost_answer_gave_is_owned(sql_site: SqlSite) -> None:
    accept(sql_site.ledger, offer("c1"))
    with pytest.raises(Unavailable):
        deaf(sql_site).open("w1", opener, 10)
    assert sql_site.ledger.open("w1", opener, 10) == ()
    (op,) = sql_site.ledger.owned("w1")
    assert sql_site.ledger.save(op).version == op.version + 1


def test_what_a_take_over_with_a_lost_answer_gave_is_owned(sql_site: SqlSite) -> None:
    op = opened(sql_site.ledger, worker="dead")
    with pytest.raises(Unavailable):
        deaf(sql_site).take_over("w1", 30 * SECOND, 10)
    assert sql_site.ledger.take_over("w1", 30 * SECOND, 10) == ()
    assert [mine.id for mine in sql_site.ledger.owned("w1")] == [op.id]


def test_saves_with_lost_answers_may_be_asked_for_again(sql_site: SqlSite) -> None:
    op = opened(sql_site.ledger, secret="x").mark("server", {"id": "x"})
    with pytest.raises(Unavailable):
        deaf(sql_site).save(op)
    saved = sql_site.ledger.save(op)
    assert saved.version == op.version + 1
    ending = success(saved, sql_site.clock.now(), record())
    with pytest.raises(Unavailable):
        deaf(sql_site).finish(ending)
    assert sql_site.ledger.finish(ending).phase is Phase.SUCCEEDED
    kinds = [event.type.rpartition(".")[2] for event in sql_site.ledger.unsent(10)]
    assert kinds == ["start", "end"]


def test_a_killed_process_leaves_all_of_an_end_or_nothing(sql_site: SqlSite) -> None:
    ledger, clock = sql_site.ledger, sql_site.clock
    op = opened(ledger)
    accept(ledger, removal("d1"))
    with pytest.raises(Dies):
        deaf(sql_site, DiesBeforeCommit).finish(success(op, clock.now(), record()))
    assert (ledger.instance("s1"), len(ledger.events("c1"))) == (None, 1)
    assert ledger.open("w1", opener, 10) == ()
    ledger.finish(success(op, clock.now(), record()))
    assert (ledger.instance("s1"), len(ledger.events("c1"))) == (record(), 2)
    assert [op.id for op in ledger.open("w1", opener, 10)] == ["d1"]


def test_a_killed_opening_leaves_the_operation_queued(sql_site: SqlSite) -> None:
    accept(sql_site.ledger, offer("c1"))
    with pytest.raises(Dies):
        deaf(sql_site, DiesBeforeCommit).open("w1", opener, 10)
    assert sql_site.ledger.unsent(10) == ()
    assert [op.id for op in sql_site.ledger.open("w2", opener, 10)] == ["c1"]


def test_a_killed_take_over_is_done_by_the_next(sql_site: SqlSite) -> None:
    ledger = sql_site.ledger
    for name in ("w1", "w2", "w3"):
        ledger.register(name, "host")
    op = opened(ledger, worker="w1")
    ledger.retire("w1")
    with pytest.raises(Dies):
        deaf(sql_site, DiesBeforeCommit).take_over("w2", 30 * SECOND, 10)
    assert [taken.id for taken in ledger.take_over("w3", 30 * SECOND, 10)] == [op.id]


@pytest.mark.parametrize(
    "url",
    [
        "mysql+pymysql://user:hunter2@127.0.0.1:1/none",
        "postgresql+psycopg://user:hunter2@127.0.0.1:1/none",
        "sqlite:////nowhere/at/all/ledger.db",
    ],
)
def test_a_database_that_cannot_be_reached_is_unavailable(url: str) -> None:
    engine = engine_of(url, Limits(connect_timeout=1, statement_timeout=1))
    ledger = SqlLedger(Database(engine))
    op = Operation(command=offer("c1").command, scope=SCOPE, accepted=EPOCH)
    calls: list[Callable[[], object]] = [
        lambda: ledger.register("w1", "host"),
        lambda: ledger.accept([offer("c1")], "w1"),
        lambda: ledger.save(op),
        lambda: ledger.unsent(1),
        ledger.backlog,
    ]
    for call in calls:
        with pytest.raises(Unavailable) as caught:
            call()
        assert "hunter2" not in str(caught.value)


def test_a_row_that_somebody_keeps_locked_is_unavailable_in_time(sql_site: SqlSite) -> None:
    op = opened(sql_site.ledger)
    url = sql_site.engine.url.render_as_string(hide_password=False)
    engine = engine_of(url, Limits(statement_timeout=1))
    impatient = SqlLedger(Database(engine, patience=1), sql_site.vault, now=sql_site.clock.now)
    with sql_site.engine.begin() as holder:
        holder.execute(update(operations).values(revision=9))
        start = time.monotonic()
        with pytest.raises(Unavailable):
            impatient.save(op)
        assert time.monotonic() - start < 10
    engine.dispose()
    assert sql_site.ledger.save(op).version == op.version + 1


def edit(site: SqlSite, name: str, column: str, change: Callable[[Any], None]) -> None:
    """Change the JSON of a row as another release would have written it."""
    chosen = operations.c[column]
    with site.engine.begin() as connection:
        row = connection.execute(select(chosen).where(operations.c.id == name)).scalar_one()
        value = json.loads(row)
        change(value)
        connection.execute(
            update(operations).where(operations.c.id == name).values({column: json.dumps(value)})
        )


def test_fields_of_a_newer_release_are_ignored(sql_site: SqlSite) -> None:
    op = opened(sql_site.ledger)
    edit(sql_site, "c1", "state", lambda state: state.update(invented={"later": 1}))
    edit(sql_site, "c1", "request", lambda request: request.update(invented=True))
    assert sql_site.ledger.owned("w1") == (op,)


def test_fields_that_an_older_release_did_not_write_are_at_their_default(
    sql_site: SqlSite,
) -> None:
    op = sql_site.ledger.save(opened(sql_site.ledger).doubted())
    edit(sql_site, "c1", "state", lambda state: state.pop("doubt"))
    assert sql_site.ledger.owned("w1") == (replace(op, doubt=False),)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("request", {"type": "trove.resources.instance.invented"}),
        ("request", {"format": 99}),
        ("state", {"format": 99}),
    ],
)
def test_what_only_a_newer_release_can_read_is_left_to_it(
    sql_site: SqlSite, column: str, change: dict[str, object]
) -> None:
    ledger = sql_site.ledger
    ledger.register("w1", "host")
    opened(ledger, "c1", "s1", worker="dead")
    accept(ledger, offer("c2", "s2"), offer("c3", "s3"))
    for name in ("c1", "c2"):
        edit(sql_site, name, column, lambda value: value.update(change))
    assert ledger.take_over("w1", 30 * SECOND, 10) == ()
    assert [op.id for op in ledger.open("w1", opener, 10)] == ["c3"]
    assert [op.id for op in ledger.operations()] == ["c3"]
    assert sum(ledger.backlog().operations.values()) == 3
    with pytest.raises(ValueError, match=r"cannot be read|newer release"):
        ledger.reopen("c1", "w1", EPOCH)


def test_plans_of_an_unknown_revision_are_left_to_others(sql_site: SqlSite) -> None:
    view = SqlLedger(
        Database(sql_site.engine), sql_site.vault, revisions=frozenset({2}), now=sql_site.clock.now
    )
    op = opened(sql_site.ledger, worker="dead")
    assert op.plan_revision == 1
    assert view.take_over("w1", 30 * SECOND, 10) == ()
    assert [taken.id for taken in sql_site.ledger.take_over("w1", 30 * SECOND, 10)] == ["c1"]


def test_without_a_clock_of_ones_own_the_databases_time_counts(sql_site: SqlSite) -> None:
    ledger = SqlLedger(Database(sql_site.engine), sql_site.vault)
    before = time.time_ns() // 1000 - 5 * SECOND
    seen = ledger.register("w1", "host")
    accept(ledger, offer("c1"))
    (op,) = ledger.operations()
    after = time.time_ns() // 1000 + 5 * SECOND
    assert before < seen <= op.accepted < after
    assert ledger.heartbeat("w1") >= seen
