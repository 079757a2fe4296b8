"""The lease: heartbeats, and when a worker may be sure that it still owns what it owns."""

import time
from collections.abc import Callable

import pytest

from consumer.clock import LedgerClock
from consumer.lease import Lease
from consumer.ledger.base import Unavailable
from consumer.ledger.memory import MemoryLedger
from consumer.telemetry.base import Silent
from handlers.errors import Stale
from handlers.operation import SECOND, Micros

DATABASE = 2_000_000_000 * SECOND


class Away(MemoryLedger):
    """A ledger that can be away, and slow."""

    away = False
    answering: Callable[[], None] = staticmethod(lambda: None)

    def register(self, worker: str, host: str) -> Micros:
        return self._unless_away(super().register(worker, host))

    def heartbeat(self, worker: str) -> Micros:
        return self._unless_away(super().heartbeat(worker))

    def retire(self, worker: str) -> None:
        self._unless_away(0)
        super().retire(worker)

    def _unless_away(self, value: Micros) -> Micros:
        if self.away:
            raise Unavailable("gone")
        self.answering()
        return value


class Bench:
    """A lease in a time of its own; its loop ends after three rounds."""

    def __init__(self, ttl: float = 30.0) -> None:
        self.time = 1000.0
        self.beats = 0
        self.ledger = Away(lambda: DATABASE)
        self.clock = LedgerClock()
        self.lease = Lease(
            self.ledger,
            worker="worker-1",
            host="host-1",
            ttl=ttl,
            clock=self.clock,
            telemetry=Silent(),
            beat=self.beat,
            monotonic=lambda: self.time,
        )

    def beat(self) -> None:
        self.beats += 1
        if self.beats == 3:
            self.lease.stop()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_first_renewal_registers_the_worker(bench: Bench) -> None:
    assert bench.lease.renew()

    assert [worker.id for worker in bench.ledger.workers()] == ["worker-1"]


def test_the_ledger_clock_follows_the_database() -> None:
    bench = Bench()
    bench.time = time.monotonic()

    bench.lease.renew()

    assert abs(bench.clock.now() - DATABASE) < 5 * SECOND


def test_a_worker_is_sure_for_two_thirds_of_the_time_to_live(bench: Bench) -> None:
    assert not bench.lease.sure()

    bench.lease.renew()
    bench.time += 19.9
    assert bench.lease.sure()
    bench.time += 0.2
    assert not bench.lease.sure()


def test_a_slow_answer_counts_from_when_it_was_asked_for(bench: Bench) -> None:
    def take_five_seconds() -> None:
        bench.time += 5

    bench.ledger.answering = take_five_seconds
    asked = bench.time

    bench.lease.renew()

    bench.time = asked + 19.9
    assert bench.lease.sure()
    bench.time = asked + 20.1
    assert not bench.lease.sure()


def test_without_an_answer_nothing_is_renewed(bench: Bench) -> None:
    bench.lease.renew()
    bench.ledger.away = True
    bench.time += 21

    assert not bench.lease.renew()
    assert not bench.lease.sure()


def test_a_worker_that_was_taken_for_dead_is_told(bench: Bench) -> None:
    bench.lease.renew()
    bench.ledger.retire("worker-1")

    with pytest.raises(Stale):
        bench.lease.renew()


def test_the_loop_goes_on_until_it_is_stopped() -> None:
    quick = Bench(ttl=0.03)

    quick.lease.run()

    assert quick.beats == 3


def test_retiring_says_whether_it_went_well(bench: Bench) -> None:
    bench.lease.renew()
    assert bench.lease.retire()

    bench.ledger.away = True
    assert not bench.lease.retire()
