"""A worker in real time: the real scheduler, its threads, a lease and the ledger's clock."""

import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from uuid import uuid4

from consumer.clock import LedgerClock
from consumer.lease import Lease
from consumer.ledger.base import Ledger, Offer
from consumer.ledger.memory import MemoryLedger
from consumer.observer import Observer
from consumer.policy import Policy
from consumer.pools import ThreadPools
from consumer.reconciler import Reconciler
from consumer.scheduler import Scheduler
from consumer.telemetry.base import Silent
from handlers.base import Clouds
from handlers.commands import Command, DeleteInstance, DeleteSecurityGroup
from handlers.instance import Scope
from handlers.operation import SECOND
from handlers.registry import Registry, managers
from handlers.resources import Service

#: For a real cloud; calls end within `Limits.longest` of the adapter's own defaults.
POLICY = Policy(
    poll=SECOND // 2,
    call_timeout=75 * SECOND,
    lag=2 * SECOND,
    limit=240 * SECOND,
    undo_budget=240 * SECOND,
)
TTL = 30.0


class Tally:
    """Counts the requests to a cloud; the adapter's probe. Any thread may call it."""

    def __init__(self) -> None:
        self.all = 0
        self.changes = 0
        self._lock = Lock()

    def __call__(
        self, service: Service, method: str, route: str, status: str, seconds: float
    ) -> None:
        with self._lock:
            self.all += 1
            self.changes += method != "GET"


class LiveDeployment:
    """One worker on one cloud. `start` it, and `stop` it in the end."""

    def __init__(
        self,
        clouds: Clouds,
        scope: Scope,
        manager: str,
        tally: Tally,
        policy: Policy = POLICY,
    ) -> None:
        """It looks twice per `policy.poll`."""
        self.scope = scope
        self._tally = tally
        self._policy = policy
        self._worker = f"live-{uuid4()}"
        self._clock = LedgerClock()
        self.ledger: Ledger = MemoryLedger(self._clock.now)
        self._lease = Lease(
            self.ledger,
            worker=self._worker,
            host="test",
            ttl=TTL,
            clock=LedgerClock(),  # the ledger lives in this process: its clock is never set
            telemetry=Silent(),
        )
        self._scheduler = self._build(clouds, Registry(managers(), manager))
        self._stopping = Event()
        self._threads = [Thread(target=self._lease.run), Thread(target=self._schedule)]

    def _build(self, clouds: Clouds, registry: Registry) -> Scheduler:
        eyes = {
            service: Observer(service, clouds, self._policy, self._clock.now, Silent())
            for service in Service
        }
        reconciler = Reconciler(
            ledger=self.ledger,
            registry=registry,
            clouds=clouds,
            eyes=eyes,
            policy=self._policy,
            clock=self._clock,
            telemetry=Silent(),
            sure=self._lease.sure,
        )
        return Scheduler(
            worker=self._worker,
            ledger=self.ledger,
            registry=registry,
            reconciler=reconciler,
            eyes=eyes,
            pools=ThreadPools(dict.fromkeys(Service, 4)),
            policy=self._policy,
            clock=self._clock,
            telemetry=Silent(),
            ttl=int(TTL * SECOND),
        )

    def start(self) -> None:
        self._lease.renew()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._lease.stop()
        self._scheduler.wake()
        for thread in self._threads:
            thread.join()
        self._scheduler.stop()

    def seconds(self) -> float:
        return time.monotonic()

    def calls(self) -> tuple[int, int]:
        return self._tally.all, self._tally.changes

    def deliver(self, command: Command) -> None:
        """Offer a command to the ledger, as the intake does."""
        scope = Scope(self.scope.cloud, self.scope.region, command.body.project)
        cancels = isinstance(command.body, DeleteInstance | DeleteSecurityGroup)
        self.ledger.accept([Offer(command, scope, cancels)], self._worker)
        self._scheduler.wake()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not (over := until()) and time.monotonic() < end:
            time.sleep(0.05)
        return over

    def _schedule(self) -> None:
        while not self._stopping.is_set():
            self._scheduler.tick()
            self._scheduler.wait(self._policy.poll / 2 / SECOND)
