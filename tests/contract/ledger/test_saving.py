"""Save and finish: the fence holds, the end is one transaction."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from consumer.ledger.base import Ledger
from handlers.errors import Reason, Stale
from handlers.instance import Ref, State
from handlers.operation import SECOND, Entry, Failure, Operation, Phase
from handlers.resources import Kind
from tests.contract.ledger.builders import (
    EPOCH,
    accept,
    failure,
    opened,
    opener,
    record,
    removal,
    success,
)
from tests.contract.ledger.sites import Site


def full(op: Operation) -> Operation:
    """With a value in every field that a save writes."""
    trouble = Failure(reason=Reason.UNAVAILABLE, message="503", service="network", request_id="r1")
    after = op.hush("server", EPOCH + SECOND).learn("port/user-0", {"id": "p1"}, EPOCH)
    after = after.mark("port/user-0", {"addresses": ["10.0.0.4"]}).hush("volume/data", EPOCH + 9)
    after = after.tried(EPOCH + 2, trouble).give_up("rules", trouble).doubted()
    after = after.note(EPOCH + 3, "acted", "server", "create_server", "req-1")
    left = (Ref(kind=Kind.PORT, id="p1", role="user", note="busy"),)
    return replace(
        after, phase=Phase.UNDO, deadline=EPOCH + 7, left=left, home="h1", plan_revision=3
    )


def test_a_save_writes_every_field_and_raises_the_version(site: Site) -> None:
    op = opened(site.ledger, secret="x")
    saved = site.ledger.save(full(op))
    assert saved == replace(full(op), version=op.version + 1)
    assert site.another().owned("w1") == (saved,)


def test_saves_follow_one_another(ledger: Ledger) -> None:
    op = opened(ledger)
    for n in range(5):
        op = ledger.save(op.note(EPOCH + n, "looked"))
    stored = ledger.operation("c1")
    assert stored is not None
    assert stored.timeline == tuple(Entry(at=EPOCH + n, what="looked") for n in range(5))


def test_a_save_of_an_older_version_is_stale(ledger: Ledger) -> None:
    op = opened(ledger)
    saved = ledger.save(op.mark("server"))
    with pytest.raises(Stale):
        ledger.save(op.mark("volume/data"))
    assert ledger.operation("c1") == saved


def test_a_save_by_another_owner_is_stale(ledger: Ledger) -> None:
    op = opened(ledger)
    with pytest.raises(Stale):
        ledger.save(replace(op, owner="w2").mark("server"))
    assert ledger.operation("c1") == op


def test_a_save_of_an_operation_that_is_not_there_is_stale(site: Site) -> None:
    op = opened(site.ledger)
    ghost = replace(op, command=replace(op.command, id="c9"))
    with pytest.raises(Stale):
        site.ledger.save(ghost)


def test_a_save_of_a_queued_operation_is_stale(ledger: Ledger) -> None:
    opened(ledger)
    accept(ledger, removal("d1"))
    queued = ledger.operation("d1")
    assert queued is not None
    with pytest.raises(Stale):
        ledger.save(replace(queued, phase=Phase.FORWARD))


def test_a_save_whose_answer_was_lost_may_be_asked_for_again(ledger: Ledger) -> None:
    op = opened(ledger).mark("server", {"addresses": ("10.0.0.4",)})
    assert ledger.save(op) == ledger.save(op)
    with pytest.raises(Stale):
        ledger.save(op.mark("volume/data"))


def test_a_finish_whose_answer_was_lost_may_be_asked_for_again(site: Site) -> None:
    ending = success(opened(site.ledger, secret="x"), site.clock.now(), record())
    first = site.ledger.finish(ending)
    site.ledger.sent([event.id for event in site.ledger.unsent(10)])
    assert site.ledger.finish(ending) == first
    assert site.ledger.unsent(10) == ()


@pytest.mark.parametrize("end", [success, failure])
def test_the_end_writes_outcome_record_and_event_and_frees_the_subject(
    site: Site, end: Callable[..., object]
) -> None:
    ledger = site.ledger
    op = opened(ledger)
    accept(ledger, removal("d1"))
    site.clock.advance(3)
    ending = end(op, site.clock.now(), record())
    finished = ledger.finish(ending)  # type: ignore[arg-type]
    assert finished.version == op.version + 1
    assert finished.phase.is_final
    assert finished.ended_in is Phase.FORWARD
    assert ledger.operation("c1") == replace(finished, cancelled="d1")
    assert ledger.instance("s1") == record()
    assert ledger.events("c1")[-1] == ending.event  # type: ignore[attr-defined]
    assert [op.id for op in ledger.open("w1", opener, 10)] == ["d1"]


def test_an_end_without_a_record_forgets_the_subject(site: Site) -> None:
    ledger = site.ledger
    ledger.finish(success(opened(ledger, "c1"), site.clock.now(), record()))
    ledger.finish(failure(opened(ledger, "c2"), site.clock.now(), None))
    assert ledger.instance("s1") is None


def test_a_deletion_leaves_a_tombstone(site: Site) -> None:
    ledger = site.ledger
    ledger.finish(success(opened(ledger, "c1"), site.clock.now(), record()))
    ledger.finish(success(opened(ledger, "c2"), site.clock.now(), record(state=State.DELETED)))
    tombstone = ledger.instance("s1")
    assert tombstone is not None
    assert tombstone.state is State.DELETED
    assert ledger.instances() == (tombstone,)


def test_a_stale_end_writes_nothing(site: Site) -> None:
    ledger = site.ledger
    op = opened(ledger)
    saved = ledger.save(op.mark("server"))
    with pytest.raises(Stale):
        ledger.finish(success(op, site.clock.now(), record()))
    assert ledger.operation("c1") == saved
    assert ledger.instance("s1") is None
    assert [event.type.rpartition(".")[2] for event in ledger.events("c1")] == ["start"]
    accept(ledger, removal("d1"))
    assert ledger.open("w1", opener, 10) == ()


def test_an_operation_ends_once(site: Site) -> None:
    ledger = site.ledger
    op = opened(ledger)
    finished = ledger.finish(success(op, site.clock.now(), record()))
    for late in (op, finished):
        with pytest.raises(Stale):
            ledger.finish(failure(replace(late, phase=Phase.FORWARD), site.clock.now()))
        with pytest.raises(Stale):
            ledger.save(replace(late, phase=Phase.FORWARD))
    assert [event.type.rpartition(".")[2] for event in ledger.events("c1")] == ["start", "end"]


def test_a_cancel_mark_survives_saves(ledger: Ledger) -> None:
    op = opened(ledger)
    accept(ledger, removal("d1"))
    ledger.save(op.mark("server"))
    stored = ledger.operation("c1")
    assert stored is not None
    assert stored.cancelled == "d1"
    assert ledger.cancelled("w1") == {"c1": "d1"}


def test_cancelled_names_open_operations_of_the_worker_only(site: Site) -> None:
    ledger = site.ledger
    ended = opened(ledger, "c0", "s0")
    opened(ledger, "c1", "s1")
    opened(ledger, "c2", "s2", worker="w2")
    accept(ledger, removal("d0", "s0"), removal("d1", "s1"), removal("d2", "s2"))
    ledger.finish(success(ended, site.clock.now()))
    assert ledger.cancelled("w1") == {"c1": "d1"}
    assert ledger.cancelled("w2") == {"c2": "d2"}
    assert ledger.cancelled("w3") == {}


def test_what_was_written_is_there_after_a_restart(site: Site) -> None:
    opened(site.ledger, "c1", "s1")
    site.ledger.finish(success(opened(site.ledger, "c2", "s2"), site.clock.now(), record("s2")))
    again = site.another()
    assert again.operations() == site.ledger.operations()
    assert again.instances() == site.ledger.instances()
    assert again.unsent(10) == site.ledger.unsent(10)
    accept(again, removal("d1"))
    assert again.open("w2", opener, 10) == ()
