"""Open: locks decide, order holds, the basis is frozen, the start is told."""

from msgspec.structs import replace

from consumer.ledger.base import Ledger
from handlers.instance import Instance
from handlers.operation import SECOND, Micros, Operation, Phase
from tests.contract.ledger.builders import (
    EPOCH,
    accept,
    offer,
    opened,
    opener,
    record,
    removal,
    success,
)
from tests.contract.ledger.sites import Site


def test_an_opened_operation_is_what_the_opener_made_of_it(site: Site) -> None:
    ledger = site.ledger
    accept(ledger, offer("c1"), worker="w2")
    site.clock.advance(5)
    (op,) = ledger.open("w1", opener, 10)
    assert (op.phase, op.owner, op.manager) == (Phase.FORWARD, "w1", "NATIVES")
    assert (op.accepted, op.opened) == (EPOCH, EPOCH + 5 * SECOND)
    assert op.deadline == EPOCH + 605 * SECOND
    assert ledger.operation("c1") == op


def test_the_opener_sees_the_operation_open_with_its_basis(ledger: Ledger) -> None:
    met: list[tuple[Operation, Instance | None, Micros]] = []

    def curious(op: Operation, basis: Instance | None, now: Micros) -> Operation:
        met.append((op, basis, now))
        return op

    accept(ledger, offer("c1"))
    ledger.open("w1", curious, 10)
    ((op, basis, now),) = met
    assert (op.phase, op.owner, op.opened, basis, now) == (Phase.FORWARD, "w1", EPOCH, None, EPOCH)


def test_the_basis_is_the_record_at_opening(site: Site) -> None:
    ledger = site.ledger
    first = opened(ledger, "c1")
    accept(ledger, offer("c2"))
    ledger.finish(success(first, site.clock.now(), record(flavor="f1")))
    (second,) = ledger.open("w1", opener, 10)
    assert second.basis == record(flavor="f1")
    saved = ledger.save(second.mark("server", {"id": "x"}))
    assert saved.basis == record(flavor="f1")
    assert ledger.operation("c2") == saved


def test_one_operation_of_a_subject_is_open_at_a_time(site: Site) -> None:
    ledger = site.ledger
    accept(ledger, offer("c1"), offer("c2"), offer("c3", "s2"))
    first = {op.id: op for op in ledger.open("w1", opener, 10)}
    assert sorted(first) == ["c1", "c3"]
    assert ledger.open("w2", opener, 10) == ()
    ledger.finish(success(first["c1"], site.clock.now()))
    assert [op.id for op in ledger.open("w2", opener, 10)] == ["c2"]


def test_operations_of_a_subject_open_in_the_order_of_acceptance(site: Site) -> None:
    ledger = site.ledger
    names = [f"c{n}" for n in (5, 3, 9, 1, 7)]
    for name in names:
        accept(ledger, offer(name), worker=f"w{name}")
    order = []
    while found := ledger.open("w1", opener, 10):
        order += [op.id for op in found]
        ledger.finish(success(found[0], site.clock.now()))
    assert order == names


def test_open_is_bounded_and_takes_the_oldest_first(site: Site) -> None:
    ledger = site.ledger
    for n in range(6):
        accept(ledger, offer(f"c{9 - n}", f"s{n}"))
        site.clock.advance(1)
    assert [op.id for op in ledger.open("w1", opener, 4)] == ["c9", "c8", "c7", "c6"]
    assert [op.id for op in ledger.open("w1", opener, 4)] == ["c5", "c4"]


def test_what_the_worker_accepted_comes_first(site: Site) -> None:
    ledger = site.ledger
    accept(ledger, offer("c1", "s1"), worker="w2")
    site.clock.advance(1)
    accept(ledger, offer("c2", "s2"), worker="w1")
    assert [op.id for op in ledger.open("w1", opener, 1)] == ["c2"]
    assert [op.id for op in ledger.open("w1", opener, 1)] == ["c1"]


def test_the_start_is_told_once(ledger: Ledger) -> None:
    op = opened(ledger)
    ledger.open("w1", opener, 10)
    (event,) = ledger.events("c1")
    assert ledger.unsent(10) == (event,)
    assert event.type == f"{op.command.type}.start"
    assert (event.subject, event.data.operation, event.data.manager) == ("s1", "c1", "NATIVES")


def test_a_cancelled_operation_opens_with_its_mark(ledger: Ledger) -> None:
    accept(ledger, offer("c1"), removal("d1"))
    (op,) = ledger.open("w1", opener, 10)
    assert (op.id, op.cancelled) == ("c1", "d1")


def test_opening_takes_the_secret_along(ledger: Ledger) -> None:
    op = opened(ledger, secret="#cloud-config")
    secret = getattr(op.command.body, "user_data")  # noqa: B009
    assert secret.reveal() == "#cloud-config"


def test_what_was_opened_is_owned_by_name(ledger: Ledger) -> None:
    one = opened(ledger, "c1", "s1")
    two = opened(ledger, "c2", "s2")
    opened(ledger, "c3", "s3", worker="w2")
    assert sorted(ledger.owned("w1"), key=lambda op: op.id) == [one, two]
    assert ledger.owned("w3") == ()


def test_owned_gives_the_operation_as_it_was_saved_last(ledger: Ledger) -> None:
    saved = ledger.save(replace(opened(ledger, secret="x"), attempts=3))
    assert ledger.owned("w1") == (saved,)
