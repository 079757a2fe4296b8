"""The scheduler: opens, takes over, looks and hands out, once per tick.

It holds the worker's operations in memory. Each service has its own lane (an observer and a pool):
one round of looking per lane at a time, and no lane waits for another.
"""

import threading
import time
from collections.abc import Mapping

from consumer.clock import Clock
from consumer.holdings import Held, Holdings
from consumer.ledger.base import Ledger, Unavailable
from consumer.observer import Ask, Observer
from consumer.policy import Policy
from consumer.pools import Pools
from consumer.reconciler import Reconciler
from consumer.telemetry.base import Telemetry
from handlers.errors import Stale, Terminal
from handlers.instance import Instance
from handlers.operation import Micros, Operation
from handlers.registry import PLAN_REVISION, Registry
from handlers.resources import InFull, Service

#: Operations that one take-over or one opening takes at most, so that a tick stays short.
BATCH = 64

#: Where an operation begins: most have something to do in the network.
_LANES = (Service.NETWORK, Service.COMPUTE, Service.BLOCK_STORAGE)

#: Seconds between two ticks, at least, unless somebody wakes the loop.
_LEAST = 0.005

#: Seconds that what wakes the loop waits for more of its kind: a round costs as much for many.
_GATHER = 0.02


class Scheduler:
    """Drives the reconciler; `tick` never blocks on a cloud."""

    def __init__(
        self,
        *,
        worker: str,
        ledger: Ledger,
        registry: Registry,
        reconciler: Reconciler,
        eyes: Mapping[Service, Observer],
        pools: Pools,
        policy: Policy,
        clock: Clock,
        telemetry: Telemetry,
        most: int = 1000,
        ttl: Micros = 30_000_000,
        queue_limit: Micros = 3_600_000_000,
    ) -> None:
        """`most` caps the operations held; a worker silent for `ttl` is dead; what waits in the
        queue for `queue_limit` is failed."""
        self._worker = worker
        self._ledger = ledger
        self._registry = registry
        self._reconciler = reconciler
        self._eyes = eyes
        self._pools = pools
        self._policy = policy
        self._clock = clock
        self._telemetry = telemetry
        self._most = most
        self._ttl = ttl
        self._queue_limit = queue_limit
        self._holdings = Holdings()
        self._looking: set[Service] = set()
        self._in_doubt = False
        self._rescue_at: Micros = 0
        self._cancel_at: Micros = 0
        self._open_at: Micros = 0
        self._told = False
        self._woken = threading.Event()
        self._stopping = False

    # -- what others see ------------------------------------------------------------------------

    def room(self) -> int:
        """How many more operations this worker would take."""
        return max(0, self._most - len(self._holdings))

    def wake(self) -> None:
        """There is something to open: do not wait for the next tick. From any thread."""
        self._open_at = 0
        self._woken.set()

    def wait(self, seconds: float) -> None:
        """Sleep until something is due, at most `seconds`, or until somebody wakes the loop."""
        due = self._holdings.next_due(frozenset(self._eyes) - self._looking)
        due = self._open_at if due is None else min(due, self._open_at)
        seconds = min(seconds, max(_LEAST, (due - self._clock.now()) / 1e6))
        if self._woken.wait(seconds):
            time.sleep(_GATHER)
        self._woken.clear()

    def next_due(self) -> Micros | None:
        """When the next wait of an operation ends; None when none is held."""
        return self._holdings.next_due(frozenset(self._eyes))

    def stop(self) -> None:
        """Finish the calls that run, begin nothing new, forget everything."""
        self._stopping = True
        self._pools.stop()
        self._holdings.clear()

    # -- the tick -------------------------------------------------------------------------------

    def tick(self) -> bool:
        """One round; says whether there are events to publish since the last one. Raises Stale when
        the ledger says that this worker is dead."""
        try:
            self._reload()
            self._mark_cancelled()
            self._rescue()
            self._open()
            self._telemetry.ledger_up(up=True)
        except Unavailable:
            self._in_doubt = True
            self._telemetry.ledger_up(up=False)
        self._telemetry.holding(len(self._holdings))
        due = self._holdings.lanes_due(self._clock.now())
        for service in self._eyes:
            if service in due:
                self._look(service)
        told, self._told = self._told, False
        return told

    def _open(self) -> None:
        """Ask the queue: at once when somebody knows of something, and now and then."""
        now = self._clock.now()
        if now < self._open_at:
            return
        self._open_at = now + self._policy.poll
        while (room := min(self.room(), BATCH)) > 0:
            opened = self._ledger.open(self._worker, self._decide, room)
            for op in opened:
                self._telemetry.opened(op)
                self._hold(op)
                self._told = True
            if len(opened) < room:
                return

    def _decide(self, op: Operation, basis: Instance | None, now: Micros) -> Operation:
        """What an operation needs to know when it opens; pure, called inside the ledger."""
        return op.opening(
            basis=basis,
            manager=self._registry.choose(op.command, basis),
            revision=PLAN_REVISION,
            now=now,
            deadline=now + self._policy.limit_of(op.command),
        )

    def _rescue(self) -> None:
        """Take what dead workers left, fail what waited too long; a few times per lease."""
        now = self._clock.now()
        if now < self._rescue_at:
            return
        self._rescue_at = now + self._ttl // 3
        self._ledger.expire(now - self._queue_limit, now)
        while (room := min(self.room(), BATCH)) > 0:
            taken = self._ledger.take_over(self._worker, self._ttl, room)
            for op in taken:
                self._hold(op.note(now, "taken over").doubted())
            if taken:
                self._telemetry.taken_over(len(taken))
            if len(taken) < room:
                return

    def _mark_cancelled(self) -> None:
        now = self._clock.now()
        if not len(self._holdings) or now < self._cancel_at:
            return
        self._cancel_at = now + self._policy.poll // 4
        for operation, by in self._ledger.cancelled(self._worker).items():
            held = self._holdings.get(operation)
            if held is None or held.op.cancelled:
                continue
            if self._holdings.enter(held):
                held.op = held.op.cancel(by)
                self._wake_up(held)
                self._holdings.leave(held)

    def _reload(self) -> None:
        """Take again what a lost answer of the ledger left in doubt: it may have opened, saved or
        handed over operations that nobody holds now."""
        if not self._in_doubt:
            return
        self._in_doubt = False  # first: what a lane lets go from now on is asked for next time
        held = self._holdings.ids()
        for op in self._ledger.owned(self._worker):
            if op.id not in held:
                self._hold(op.doubted())

    def _hold(self, op: Operation) -> None:
        """Its first pass looks at nothing: any lane will do that does not hang in a look."""
        free = (lane for lane in _LANES if lane not in self._looking)
        self._holdings.hold(op, self._clock.now(), first=next(free, _LANES[0]))

    def _wake_up(self, held: Held) -> None:
        now = self._clock.now()
        held.waits = dict.fromkeys(held.waits or (Service.NETWORK,), now)

    # -- lanes ----------------------------------------------------------------------------------

    def _look(self, service: Service) -> None:
        if service in self._looking or self._stopping:
            return
        due = self._holdings.due(service, self._clock.now())
        if due:
            self._looking.add(service)
            self._pools.look(service, self._look_and_advance, service, due)

    def _look_and_advance(self, service: Service, due: list[Held]) -> None:
        """What wants to see nothing here does not wait for a look that may hang."""
        asks = {held: self._asks(service, held) for held in due}
        self._hand_out(service, [held for held in due if not asks[held]])
        try:
            self._eyes[service].refresh(ask for some in asks.values() for ask in some)
        except Exception as error:  # a defect in a look-up must not blind the lane for ever
            self._telemetry.look_failed(service, error)
        finally:
            self._looking.discard(service)
        self._hand_out(service, [held for held in due if asks[held]])
        if self._holdings.anything_due(service, self._clock.now()):
            self._woken.set()

    def _hand_out(self, service: Service, some: list[Held]) -> None:
        for held in some:
            self._pools.submit(service, self._advance, held, service)

    def _asks(self, service: Service, held: Held) -> list[Ask]:
        now, op = self._clock.now(), held.op
        asks = []
        for step in held.ready():
            if step.service is not service:
                continue
            try:
                query = step.wants(op)
            except Terminal:
                continue  # the reconciler meets it again, and turns
            if query is not None:
                quiet = op.quiet.get(step.key, 0)
                # where a change may never show, or no listing shows any: look
                alone = op.trouble is not None or isinstance(query, InFull)
                acted = op.acted + 1 if alone else 0
                floor = max(held.since, acted, quiet if quiet <= now else 0)
                asks.append(Ask(op.scope, query, floor))
        return asks

    def _advance(self, held: Held, lane: Service) -> None:
        if self._stopping or not self._holdings.enter(held):
            return
        on: Service | None = None
        try:
            on = self._reconciler.advance(held, lane)
        except Stale:
            self._telemetry.stale(held.op)
            self._holdings.drop(held)
        except Unavailable:
            self._holdings.drop(held)
            self._in_doubt = True  # last: then it is not held when the ledger is asked
            self._telemetry.ledger_up(up=False)
        except Exception as error:  # a defect: leave it to the deadline, not to a dead thread
            self._telemetry.defect(held.op, "", error)
            held.waits = {lane: self._clock.now() + self._policy.backoff_max}
        finally:
            again = self._holdings.leave(held)
        if held.op.phase.is_final:
            self._holdings.drop(held)
            self._told = True
            self.wake()
        elif on is not None:
            self._pools.submit(on, self._advance, held, on)
        elif again:
            self._pools.submit(lane, self._advance, held, lane)
        elif self._is_due(held):
            self._woken.set()

    def _is_due(self, held: Held) -> bool:
        """Whether it waits for a first look that nothing is gained by delaying."""
        return min(held.waits.values(), default=self._clock.now() + 1) <= self._clock.now()
