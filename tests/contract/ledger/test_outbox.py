"""Outbox and views."""

from consumer.ledger.base import Backlog, Ledger
from handlers.instance import State
from handlers.operation import Phase
from tests.contract.ledger.builders import (
    accept,
    failure,
    offer,
    opened,
    opener,
    record,
    success,
    whose,
)
from tests.contract.ledger.sites import Site


def test_events_go_out_in_the_order_in_which_they_were_written(site: Site) -> None:
    ledger = site.ledger
    ops = [opened(ledger, f"c{n}", f"s{n}") for n in (2, 0, 1)]
    for op in ops:
        ledger.finish(success(op, site.clock.now()))
    told = [(whose(event), event.type.rpartition(".")[2]) for event in ledger.unsent(10)]
    starts = [("c2", "start"), ("c0", "start"), ("c1", "start")]
    ends = [("c2", "end"), ("c0", "end"), ("c1", "end")]
    assert told == starts + ends
    assert [whose(event) for event in ledger.unsent(2)] == ["c2", "c0"]


def test_what_was_sent_is_not_offered_again(site: Site) -> None:
    ledger = site.ledger
    ledger.finish(failure(opened(ledger), site.clock.now()))
    start, error = ledger.unsent(10)
    ledger.sent([start.id])
    assert ledger.unsent(10) == (error,)
    ledger.sent([error.id, start.id, "unknown"])
    ledger.sent([])
    assert ledger.unsent(10) == ()
    assert ledger.events("c1") == (start, error)


def test_events_of_an_operation_are_its_own(ledger: Ledger) -> None:
    opened(ledger, "c1", "s1")
    opened(ledger, "c2", "s2")
    assert [event.data.operation for event in ledger.events("c1")] == ["c1"]
    assert ledger.events("c9") == ()


def test_operations_are_listed_newest_first_by_phase_and_subject(site: Site) -> None:
    ledger = site.ledger
    ledger.finish(success(opened(ledger, "c1", "s1"), site.clock.now()))
    site.clock.advance(1)
    opened(ledger, "c2", "s2")
    site.clock.advance(1)
    accept(ledger, offer("c3", "s2"), offer("c4", "s1"))

    def names(**filters: object) -> list[str]:
        return [op.id for op in ledger.operations(**filters)]  # type: ignore[arg-type]

    assert set(names()[:2]) == {"c3", "c4"}
    assert names()[2:] == ["c2", "c1"]
    assert len(names(limit=3)) == 3
    assert names(subject="s1") == ["c4", "c1"]
    assert names(phases=[Phase.FORWARD, Phase.SUCCEEDED]) == ["c2", "c1"]
    assert names(phases=[Phase.QUEUED], subject="s2") == ["c3"]
    assert ledger.operation("c9") is None


def test_instances_are_listed_by_id_page_by_page(site: Site) -> None:
    ledger = site.ledger
    for name in ("b", "C", "a", "A"):
        ledger.finish(success(opened(ledger, f"c{name}", name), site.clock.now(), record(name)))
    assert [one.id for one in ledger.instances()] == ["A", "C", "a", "b"]
    assert [one.id for one in ledger.instances(limit=2)] == ["A", "C"]
    assert [one.id for one in ledger.instances(limit=2, after="C")] == ["a", "b"]
    assert ledger.instance("a") == record("a")
    assert ledger.instance("B") is None


def test_ids_differ_when_their_letters_do(ledger: Ledger) -> None:
    accept(ledger, offer("c1", "s1"), offer("C1", "S1"))
    assert {op.id for op in ledger.open("w1", opener, 10)} == {"c1", "C1"}


def test_the_backlog_counts_what_is_not_done(site: Site) -> None:
    ledger = site.ledger
    assert ledger.backlog() == Backlog()
    ledger.register("w1", "host")
    site.clock.advance(10)
    ledger.finish(success(opened(ledger, "c0", "s0"), site.clock.now(), record("s0")))
    gone = record("s1", State.DELETED)
    ledger.finish(success(opened(ledger, "c1", "s1"), site.clock.now(), gone))
    ledger.sent([event.id for event in ledger.unsent(10)])
    site.clock.advance(10)
    opened(ledger, "c2", "s2")
    accept(ledger, offer("c3", "s2"))
    site.clock.advance(5)
    assert ledger.backlog() == Backlog(
        operations={
            ("NATIVES", "instance.create", "forward"): 1,
            ("", "instance.create", "queued"): 1,
        },
        instances={("NATIVES", "active"): 1, ("NATIVES", "deleted"): 1},
        oldest_operation=5.0,
        outbox=1,
        oldest_event=5.0,
        workers=1,
    )
