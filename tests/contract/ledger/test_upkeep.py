"""Expire, reopen, cancel, prune."""

import pytest
from msgspec.structs import replace

from consumer.ledger.base import Ledger
from handlers.commands import DeleteInstance
from handlers.errors import Reason
from handlers.instance import State
from handlers.operation import SECOND, Phase
from tests.contract.ledger.builders import (
    EPOCH,
    accept,
    failure,
    offer,
    opened,
    opener,
    record,
    removal,
    success,
    whose,
)
from tests.contract.ledger.sites import Site

TTL = 30 * SECOND
HOUR = 3600 * SECOND


def test_what_is_queued_too_long_fails_with_its_event(site: Site) -> None:
    ledger = site.ledger
    opened(ledger, "c1")
    accept(ledger, offer("c2"))
    site.clock.advance(10)
    accept(ledger, offer("c3"))
    assert ledger.expire(EPOCH + 5 * SECOND, site.clock.now()) == 1
    late = ledger.operation("c2")
    assert late is not None
    assert late.failure is not None
    assert (late.phase, late.ended_in) == (Phase.FAILED, Phase.QUEUED)
    assert (late.failure.reason, late.finished) == (Reason.QUEUE_TIMEOUT, site.clock.now())
    (event,) = ledger.events("c2")
    assert event.data.error is not None
    assert event.data.error.reason is Reason.QUEUE_TIMEOUT
    assert ledger.expire(EPOCH + 5 * SECOND, site.clock.now()) == 0
    assert {op.id for op in ledger.operations([Phase.QUEUED])} == {"c3"}


def test_an_expired_operation_is_not_opened_and_does_not_block(site: Site) -> None:
    accept(site.ledger, offer("c1"))
    site.clock.advance(10)
    accept(site.ledger, offer("c2"))
    site.ledger.expire(EPOCH + SECOND, site.clock.now())
    assert [op.id for op in site.ledger.open("w1", opener, 10)] == ["c2"]


def test_many_expire_in_one_call(site: Site) -> None:
    site.ledger.accept([offer(f"c{n}", f"s{n}") for n in range(230)], "w1")
    assert site.ledger.expire(EPOCH + SECOND, EPOCH + 2) == 230
    assert len(site.ledger.unsent(500)) == 230


def test_a_failed_operation_goes_on_where_it_failed(site: Site) -> None:
    ledger = site.ledger
    op = ledger.save(opened(ledger).mark("server", {"id": "x"}))
    ended = ledger.finish(failure(op, site.clock.now()))
    again = ledger.reopen("c1", "w2", EPOCH + HOUR)
    assert (again.phase, again.owner, again.deadline) == (Phase.FORWARD, "w2", EPOCH + HOUR)
    assert (again.failure, again.finished, again.ended_in) == (None, 0, None)
    assert (again.done, again.learned) == (op.done, op.learned)
    assert again.version == ended.version + 1
    assert ledger.owned("w2") == (again,)
    finished = ledger.finish(success(again, site.clock.now(), record()))
    assert finished.phase is Phase.SUCCEEDED
    kinds = [event.type.rpartition(".")[2] for event in ledger.events("c1")]
    assert kinds == ["start", "error", "end"]


def test_a_failed_undo_goes_on_undoing(site: Site) -> None:
    ledger = site.ledger
    ending = failure(opened(ledger, secret="x"), site.clock.now())
    undone = replace(ending.op, ended_in=Phase.UNDO)
    ledger.finish(replace(ending, op=undone))
    again = ledger.reopen("c1", "w1", EPOCH + HOUR)
    assert again.phase is Phase.UNDO
    assert again.failure == undone.failure


def test_a_resumed_operation_is_no_longer_cancelled(site: Site) -> None:
    ledger = site.ledger
    op = opened(ledger)
    ledger.cancel("c1", "operator root@host")
    ledger.finish(failure(op, site.clock.now()))
    again = ledger.reopen("c1", "w2", EPOCH + HOUR)
    assert again.cancelled is None
    assert ledger.cancelled("w2") == {}
    (held,) = ledger.owned("w2")
    assert held.cancelled is None


def test_a_resumed_operation_that_fails_again_tells_it_under_the_same_id(site: Site) -> None:
    ledger = site.ledger
    ledger.finish(failure(opened(ledger), site.clock.now()))
    first = ledger.events("c1")[-1]
    ledger.sent([event.id for event in ledger.unsent(10)])
    site.clock.advance(9)
    ledger.finish(failure(ledger.reopen("c1", "w1", EPOCH + HOUR), site.clock.now()))
    (told,) = ledger.unsent(10)
    assert (told.id, told.time) == (first.id, first.time + 9 * SECOND)


def test_what_cannot_be_resumed_is_refused(site: Site) -> None:
    ledger = site.ledger
    with pytest.raises(LookupError):
        ledger.reopen("c0", "w1", EPOCH + HOUR)
    op = opened(ledger)
    with pytest.raises(ValueError, match="only a failed one"):
        ledger.reopen("c1", "w1", EPOCH + HOUR)
    ledger.finish(success(op, site.clock.now()))
    with pytest.raises(ValueError, match="only a failed one"):
        ledger.reopen("c1", "w1", EPOCH + HOUR)
    accept(ledger, offer("c2"))
    ledger.expire(EPOCH + 1, EPOCH + 2)
    with pytest.raises(ValueError, match="never opened"):
        ledger.reopen("c2", "w1", EPOCH + HOUR)


def test_nothing_is_resumed_forward_without_its_secret(site: Site) -> None:
    site.ledger.finish(failure(opened(site.ledger, secret="x"), site.clock.now()))
    with pytest.raises(ValueError, match="secrets"):
        site.ledger.reopen("c1", "w1", EPOCH + HOUR)


def test_nothing_is_resumed_while_its_subject_is_taken(site: Site) -> None:
    ledger = site.ledger
    ledger.finish(failure(opened(ledger, "c1"), site.clock.now()))
    second = opened(ledger, "c2")
    with pytest.raises(ValueError, match="another operation"):
        ledger.reopen("c1", "w1", EPOCH + HOUR)
    ledger.finish(success(second, site.clock.now()))
    with pytest.raises(ValueError, match="later operation"):
        ledger.reopen("c1", "w1", EPOCH + HOUR)
    accept(ledger, offer("c3"))
    assert [op.id for op in ledger.open("w1", opener, 10)] == ["c3"]


def test_a_resumed_operation_keeps_later_ones_waiting(site: Site) -> None:
    ledger = site.ledger
    ledger.finish(failure(opened(ledger, "c1"), site.clock.now()))
    accept(ledger, offer("c2"))
    again = ledger.reopen("c1", "w1", EPOCH + HOUR)
    assert ledger.open("w1", opener, 10) == ()
    ledger.finish(success(again, site.clock.now()))
    assert [op.id for op in ledger.open("w1", opener, 10)] == ["c2"]


def test_what_a_tool_resumed_goes_to_the_next_worker_that_takes_over(site: Site) -> None:
    ledger = site.ledger
    ledger.register("w1", "host")
    ledger.finish(failure(opened(ledger), site.clock.now()))
    again = ledger.reopen("c1", "tool", EPOCH + HOUR)
    (taken,) = ledger.take_over("w1", TTL, 10)
    assert taken == replace(again, owner="w1", version=again.version + 1)


def test_an_operator_marks_queued_and_open_operations(ledger: Ledger) -> None:
    opened(ledger, "c1")
    accept(ledger, offer("c2"))
    for name in ("c1", "c2", "c1"):
        ledger.cancel(name, "operator")
    assert {op.cancelled for op in ledger.operations()} == {"operator"}
    assert ledger.cancelled("w1") == {"c1": "operator"}


def test_a_cancel_mark_of_an_operator_does_not_replace_a_deletes(ledger: Ledger) -> None:
    opened(ledger, "c1")
    accept(ledger, removal("d1"))
    ledger.cancel("c1", "operator")
    assert ledger.cancelled("w1") == {"c1": "d1"}


def test_what_has_ended_or_never_was_cannot_be_cancelled(site: Site) -> None:
    site.ledger.finish(failure(opened(site.ledger), site.clock.now()))
    with pytest.raises(ValueError, match="failed already"):
        site.ledger.cancel("c1", "operator")
    with pytest.raises(LookupError):
        site.ledger.cancel("c2", "operator")


def test_retention_forgets_what_ended_was_told_and_was_deleted(site: Site) -> None:
    ledger = site.ledger
    gone = record("s1", State.DELETED)
    ledger.finish(success(opened(ledger, "c1", "s1"), site.clock.now(), gone))
    ledger.finish(success(opened(ledger, "c2", "s2"), site.clock.now(), record("s2")))
    opened(ledger, "c3", "s3")
    accept(ledger, offer("c4", "s3", body=DeleteInstance(project="p1")))
    ledger.sent([event.id for event in ledger.unsent(4)])
    before = site.clock.now() + 1
    assert ledger.prune(site.clock.now(), 100) == 0
    assert ledger.prune(before, 100) == 2 + 4 + 1
    assert {op.id for op in ledger.operations()} == {"c3", "c4"}
    assert ledger.instances() == (record("s2"),)
    assert [whose(event) for event in ledger.unsent(10)] == ["c3"]
    assert ledger.prune(before, 100) == 0


def test_retention_is_bounded(site: Site) -> None:
    ledger = site.ledger
    for n in range(3):
        ledger.finish(failure(opened(ledger, f"c{n}", f"s{n}"), site.clock.now()))
    ledger.sent([event.id for event in ledger.unsent(10)])
    before = site.clock.now() + 1
    assert [ledger.prune(before, 5) for _ in range(3)] == [5, 4, 0]


def test_a_command_may_come_again_when_its_first_one_is_forgotten(site: Site) -> None:
    site.ledger.finish(failure(opened(site.ledger), site.clock.now()))
    site.ledger.sent([event.id for event in site.ledger.unsent(10)])
    site.ledger.prune(site.clock.now() + 1, 100)
    accept(site.ledger, offer("c1"))


def test_a_command_may_come_again_although_the_first_ones_events_wait(site: Site) -> None:
    site.ledger.finish(failure(opened(site.ledger), site.clock.now()))
    site.ledger.prune(site.clock.now() + 1, 100)
    opened(site.ledger)
    kinds = sorted(event.type.rpartition(".")[2] for event in site.ledger.events("c1"))
    assert kinds == ["error", "start"]
