"""Accept: one row per command, order per subject, cancel marks."""

from msgspec.structs import replace

from consumer.ledger.base import Ledger, Verdict
from handlers.commands import ResizeVolume
from handlers.operation import Phase
from tests.contract.ledger.builders import (
    EPOCH,
    accept,
    create,
    failure,
    offer,
    opened,
    opener,
    removal,
    success,
)
from tests.contract.ledger.sites import Site


def test_a_new_command_becomes_a_queued_operation_of_the_worker(ledger: Ledger) -> None:
    assert ledger.accept([offer("c1")], "w1") == (Verdict.NEW,)
    op = ledger.operation("c1")
    assert op is not None
    assert (op.phase, op.owner, op.accepted) == (Phase.QUEUED, "w1", EPOCH)
    assert op.command == offer("c1").command
    assert op.scope == offer("c1").scope


def test_an_empty_batch_is_no_work(ledger: Ledger) -> None:
    assert ledger.accept([], "w1") == ()


def test_the_same_command_again_changes_nothing(ledger: Ledger) -> None:
    accept(ledger, offer("c1"))
    before = ledger.operation("c1")
    assert ledger.accept([offer("c1")], "w2") == (Verdict.KNOWN,)
    assert ledger.operation("c1") == before
    assert len(ledger.operations()) == 1


def test_the_same_command_twice_in_one_batch_is_accepted_once(ledger: Ledger) -> None:
    verdicts = ledger.accept([offer("c1"), offer("c1"), offer("c1", "s2")], "w1")
    assert verdicts == (Verdict.NEW, Verdict.KNOWN, Verdict.CONFLICT)


def test_the_same_id_with_other_content_is_a_conflict(ledger: Ledger) -> None:
    accept(ledger, offer("c1"))
    others = [
        offer("c1", body=create(name="other")),
        offer("c1", "s2"),
        offer("c1", body=ResizeVolume(project="p1", size=2)),
    ]
    assert set(ledger.accept(others, "w1")) == {Verdict.CONFLICT}
    op = ledger.operation("c1")
    assert op is not None
    assert op.command == offer("c1").command


def test_another_secret_is_other_content(ledger: Ledger) -> None:
    accept(ledger, offer("c1", body=create(secret="one")))
    assert ledger.accept([offer("c1", body=create(secret="one"))], "w1") == (Verdict.KNOWN,)
    assert ledger.accept([offer("c1", body=create(secret="two"))], "w1") == (Verdict.CONFLICT,)
    assert ledger.accept([offer("c1")], "w1") == (Verdict.CONFLICT,)


def test_another_trace_is_no_other_content(ledger: Ledger) -> None:
    accept(ledger, offer("c1"))
    again = offer("c1")
    traced = replace(again, command=replace(again.command, trace="00-1-2-01"))
    assert ledger.accept([traced], "w1") == (Verdict.KNOWN,)


def test_a_known_command_tells_its_end_once_more(site: Site) -> None:
    ledger = site.ledger
    ended = ledger.finish(success(opened(ledger), site.clock.now()))
    told = ledger.unsent(10)
    ledger.sent([event.id for event in told])
    assert ledger.unsent(10) == ()
    assert ledger.accept([offer("c1")], "w1") == (Verdict.KNOWN,)
    assert [event.type for event in ledger.unsent(10)] == [f"{ended.command.type}.end"]


def test_a_known_command_that_is_open_tells_nothing(ledger: Ledger) -> None:
    opened(ledger)
    ledger.sent([event.id for event in ledger.unsent(10)])
    assert ledger.accept([offer("c1")], "w1") == (Verdict.KNOWN,)
    assert ledger.unsent(10) == ()


def test_a_delete_marks_what_is_queued_and_open_on_its_subject(ledger: Ledger) -> None:
    opened(ledger, "c1")
    accept(ledger, offer("c2"), offer("c3", "s2"), removal("d1"))
    marks = {op.id: op.cancelled for op in ledger.operations()}
    assert marks == {"c1": "d1", "c2": "d1", "c3": None, "d1": None}


def test_a_delete_marks_what_comes_before_it_in_the_same_batch_only(ledger: Ledger) -> None:
    accept(ledger, offer("c1"), removal("d1"), offer("c2"))
    marks = {op.id: op.cancelled for op in ledger.operations()}
    assert marks == {"c1": "d1", "d1": None, "c2": None}


def test_the_delete_of_another_project_marks_nothing(ledger: Ledger) -> None:
    opened(ledger, "c1")
    accept(ledger, offer("c2"), removal("d1", project="p2"))
    assert {op.cancelled for op in ledger.operations()} == {None}


def test_the_first_cancel_mark_stays(ledger: Ledger) -> None:
    accept(ledger, offer("c1"))
    accept(ledger, removal("d1"))
    accept(ledger, removal("d2"))
    marks = {op.id: op.cancelled for op in ledger.operations()}
    assert marks == {"c1": "d1", "d1": "d2", "d2": None}


def test_what_has_ended_is_not_marked(site: Site) -> None:
    ledger = site.ledger
    ledger.finish(failure(opened(ledger), site.clock.now()))
    accept(ledger, removal("d1"))
    op = ledger.operation("c1")
    assert op is not None
    assert op.cancelled is None


def test_a_duplicate_delete_marks_nothing_new(ledger: Ledger) -> None:
    accept(ledger, removal("d1"), offer("c1"))
    assert ledger.accept([removal("d1")], "w1") == (Verdict.KNOWN,)
    op = ledger.operation("c1")
    assert op is not None
    assert op.cancelled is None


def test_the_clock_going_back_does_not_reorder_a_subject(site: Site) -> None:
    accept(site.ledger, offer("c1"))
    site.clock.advance(-60)
    accept(site.ledger, offer("c2"))
    assert [op.id for op in site.ledger.open("w1", opener, 10)] == ["c1"]
