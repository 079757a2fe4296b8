"""Workers: heartbeats, retirement, and the rows of the dead."""

import pytest
from msgspec.structs import replace

from consumer.ledger.base import Ledger, Worker
from handlers.errors import Stale
from handlers.operation import SECOND
from tests.contract.ledger.builders import EPOCH, accept, offer, opened, record, success
from tests.contract.ledger.sites import Site

TTL = 30 * SECOND


def test_a_worker_is_told_the_ledgers_time(site: Site) -> None:
    assert site.ledger.register("w1", "host-1") == EPOCH
    site.clock.advance(7)
    assert site.ledger.heartbeat("w1") == EPOCH + 7 * SECOND
    assert site.ledger.workers() == (
        Worker(id="w1", host="host-1", started=EPOCH, seen=EPOCH + 7 * SECOND),
    )


def test_registering_again_is_a_heartbeat(site: Site) -> None:
    site.ledger.register("w1", "host-1")
    site.clock.advance(7)
    site.ledger.register("w1", "host-1")
    assert [worker.seen for worker in site.ledger.workers()] == [EPOCH + 7 * SECOND]


def test_workers_are_listed_the_longest_silent_first(site: Site) -> None:
    for name in ("w1", "w2", "w3"):
        site.ledger.register(name, "host")
        site.clock.advance(1)
    site.ledger.heartbeat("w1")
    assert [worker.id for worker in site.ledger.workers()] == ["w2", "w3", "w1"]


def test_a_heartbeat_without_a_row_is_stale(ledger: Ledger) -> None:
    with pytest.raises(Stale):
        ledger.heartbeat("w1")


def test_a_retired_worker_is_stale_and_its_rows_may_be_taken_at_once(ledger: Ledger) -> None:
    ledger.register("w1", "host")
    ledger.register("w2", "host")
    op = opened(ledger, worker="w1")
    ledger.retire("w1")
    with pytest.raises(Stale):
        ledger.heartbeat("w1")
    assert ledger.take_over("w2", TTL, 10) == (replace(op, owner="w2", version=op.version + 1),)
    assert [worker.id for worker in ledger.workers()] == ["w2"]


def test_retiring_twice_or_unknown_is_no_error(ledger: Ledger) -> None:
    ledger.register("w1", "host")
    ledger.retire("w1")
    ledger.retire("w1")
    ledger.retire("w9")


def test_the_rows_of_a_living_worker_stay(site: Site) -> None:
    site.ledger.register("w1", "host")
    site.ledger.register("w2", "host")
    opened(site.ledger, worker="w1")
    site.clock.advance(29)
    assert site.ledger.take_over("w2", TTL, 10) == ()
    site.ledger.heartbeat("w1")
    site.clock.advance(29)
    assert site.ledger.take_over("w2", TTL, 10) == ()
    assert len(site.ledger.owned("w1")) == 1


def test_a_silent_worker_loses_its_rows_and_is_stale(site: Site) -> None:
    ledger = site.ledger
    ledger.register("w1", "host")
    ledger.register("w2", "host")
    op = opened(ledger, worker="w1", secret="x")
    site.clock.advance(30)
    ledger.heartbeat("w2")
    (taken,) = ledger.take_over("w2", TTL, 10)
    assert taken == replace(op, owner="w2", version=op.version + 1)
    assert ledger.owned("w2") == (taken,)
    with pytest.raises(Stale):
        ledger.heartbeat("w1")
    with pytest.raises(Stale):
        ledger.save(op)
    with pytest.raises(Stale):
        ledger.finish(success(op, site.clock.now(), record()))
    assert ledger.save(taken).version == taken.version + 1


def test_a_take_over_is_bounded_and_goes_on(site: Site) -> None:
    ledger = site.ledger
    for name in ("w1", "w2", "w3"):
        ledger.register(name, "host")
    ops = [opened(ledger, f"c{n}", f"s{n}", worker="w1") for n in range(5)]
    ledger.retire("w1")
    first = ledger.take_over("w2", TTL, 3)
    assert len(first) == 3
    assert "w1" in [worker.id for worker in ledger.workers()]
    second = ledger.take_over("w3", TTL, 3)
    assert len(second) == 2
    assert {op.id for op in first + second} == {op.id for op in ops}
    assert [worker.id for worker in ledger.workers()] == ["w2", "w3"]
    assert ledger.take_over("w2", TTL, 3) == ()


def test_a_dead_worker_that_owns_nothing_disappears(site: Site) -> None:
    site.ledger.register("w1", "host")
    site.ledger.register("w2", "host")
    opened_and_done = opened(site.ledger, worker="w1")
    site.ledger.finish(success(opened_and_done, site.clock.now(), record()))
    site.ledger.retire("w1")
    assert site.ledger.take_over("w2", TTL, 10) == ()
    assert [worker.id for worker in site.ledger.workers()] == ["w2"]


def test_the_taker_is_not_its_own_prey(site: Site) -> None:
    site.ledger.register("w1", "host")
    op = opened(site.ledger, worker="w1")
    site.clock.advance(60)
    assert site.ledger.take_over("w1", TTL, 10) == ()
    assert site.ledger.owned("w1") == (op,)


def test_what_a_dead_taker_took_is_taken_again(site: Site) -> None:
    ledger = site.ledger
    for name in ("w1", "w2", "w3"):
        ledger.register(name, "host")
    op = opened(ledger, worker="w1")
    ledger.retire("w1")
    ledger.take_over("w2", TTL, 10)
    ledger.retire("w2")
    (taken,) = ledger.take_over("w3", TTL, 10)
    assert (taken.id, taken.owner, taken.version) == (op.id, "w3", op.version + 2)


def test_what_was_opened_after_its_worker_disappeared_is_taken_too(ledger: Ledger) -> None:
    ledger.register("w1", "host")
    ledger.register("w2", "host")
    accept(ledger, offer("c1"))
    ledger.retire("w1")
    ledger.take_over("w2", TTL, 10)
    late = opened(ledger, "c2", "s2", worker="w1")
    taken = ledger.take_over("w2", TTL, 10)
    assert {op.id for op in taken} == {"c1", late.id}


def test_what_is_queued_needs_no_take_over(ledger: Ledger) -> None:
    ledger.register("w1", "host")
    ledger.register("w2", "host")
    accept(ledger, offer("c1"), worker="w1")
    ledger.retire("w1")
    assert ledger.take_over("w2", TTL, 10) == ()
    op = opened(ledger, "c2", "s2", worker="w2")
    assert {op.id for op in ledger.owned("w2")} == {"c1", op.id}
