"""A worker process: its loops, the order in which they start, and how they end."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from enum import IntEnum
from threading import Event, Thread
from typing import NamedTuple

from consumer.intake import Intake
from consumer.lease import Lease
from consumer.relay import Relay
from consumer.scheduler import Scheduler
from consumer.telemetry.health import HealthServer, Pulse
from consumer.telemetry.logs import Logger
from handlers.errors import Stale

#: Seconds between two steps of a migration, and between two looks whether there is one.
STEP, LOOK = 1.0, 5.0

#: Seconds that a worker that stops waits for its last events to go out.
FLUSH = 3.0


class Outcome(IntEnum):
    """How a worker ended; the exit code of the process."""

    STOPPED = 0  # it was asked to, and everything came to its end
    BROKEN = 1  # a loop failed: a defect, told in the log
    HURRIED = 2  # it was asked to, but something did not end in time
    LOST = 3  # others took it for dead: start it anew
    STALLED = 4  # a loop was silent too long: start it anew


class Parts(NamedTuple):
    """What a worker is made of; app.py builds it."""

    name: str
    lease: Lease
    scheduler: Scheduler
    intake: Intake
    relay: Relay
    pulse: Pulse
    logger: Logger
    health: HealthServer | None
    connect: Callable[[], None]  # meets the clouds, before several threads do
    conduct: Callable[[], bool]  # carries migrations on; whether there are any; raises nothing
    keep_house: Callable[[], None]  # now and then: forgets what is past its retention
    is_told: Callable[[], bool]  # whether no event waits to be published
    close: ExitStack  # connections that are closed at the very end
    tick: float
    stop_timeout: float


class Worker:
    """Runs its parts. `start` and `stop` from one thread; `wait` in between."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ended = Event()
        self._outcome = Outcome.STOPPED
        self._stopping = Event()
        self._threads: dict[str, Thread] = {}

    @property
    def name(self) -> str:
        """The worker's id: new with every start of a process."""
        return self._parts.name

    @property
    def port(self) -> int:
        """Where /metrics and health are served; 0 when they are not."""
        return self._parts.health.port if self._parts.health else 0

    @property
    def is_ready(self) -> bool:
        """Whether commands are being taken."""
        return self._parts.intake.is_ready

    def start(self) -> None:
        """Health first, then the lease; commands last, when all else can work on them.

        Returns at once. A ledger that is away is waited for: not ready, still alive.
        """
        if self._parts.health:
            self._parts.health.start()
        self._parts.logger.info("worker starts", worker=self.name, port=self.port)
        self._run("start", self._begin)

    def wait(self, seconds: float | None = None) -> bool:
        """Until it ends by itself, or time is up; True when it has ended."""
        return self._ended.wait(seconds)

    def request_stop(self) -> None:
        """Make `wait` return; safe in a signal handler."""
        self._ended.set()

    def stop(self) -> Outcome:
        """Take nothing new, let calls come to their end, give the rest away, tell what happened.

        Returns within `stop_timeout` seconds, give or take one; a second time at once.
        """
        if self._stopping.is_set():
            return self._outcome
        parts, end = self._parts, time.monotonic() + self._parts.stop_timeout
        self._stopping.set()
        parts.intake.stop()
        parts.scheduler.wake()
        late = self._join(("start", "intake", "scheduler", "conductor"), end)
        calls = Thread(target=parts.scheduler.stop, name="stop calls", daemon=True)
        calls.start()
        calls.join(max(0.0, end - time.monotonic()))
        parts.lease.stop()
        late = self._join(("lease",), end) or late or calls.is_alive()
        if not late:
            parts.lease.retire()
        self._tell_all(end)
        parts.relay.stop()
        late = self._join(("relay", "watch"), end) or late
        if parts.health:
            parts.health.stop()
        if not late:
            parts.close.close()
        if late and self._outcome is Outcome.STOPPED:
            self._outcome = Outcome.HURRIED
        parts.logger.info("worker ends", worker=self.name, outcome=self._outcome.name.lower())
        return self._outcome

    def _tell_all(self, end: float) -> None:
        """Let the relay publish what waits, for a few seconds; the next worker tells the rest."""
        end = min(end, time.monotonic() + FLUSH)
        relay = self._threads.get("relay")
        while relay and relay.is_alive() and time.monotonic() < end and not self._parts.is_told():
            self._parts.relay.kick()
            time.sleep(0.05)

    # -- loops ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Register, meet the clouds, then let the loops go."""
        parts = self._parts
        while not parts.lease.renew():
            if self._stopping.wait(1.0):
                return
        self._run("lease", parts.lease.run)
        parts.connect()
        if self._stopping.is_set():
            return
        self._run("scheduler", self._schedule)
        self._run("relay", parts.relay.run)
        self._run("intake", parts.intake.run)
        self._run("conductor", self._conduct)
        self._run("watch", self._watch)

    def _schedule(self) -> None:
        parts = self._parts
        while not self._stopping.is_set():
            told = parts.scheduler.tick()
            parts.pulse.beat("scheduler")
            if told:
                parts.relay.kick()
            parts.scheduler.wait(parts.tick)
        parts.pulse.end("scheduler")

    def _conduct(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = STEP if self._parts.conduct() else LOOK

    def _watch(self) -> None:
        """Look for loops that are silent; keep house in between."""
        while not self._stopping.wait(5.0):
            self._parts.keep_house()
            stalled = self._parts.pulse.stalled()
            if stalled:
                self._parts.logger.error("stalled", loops="; ".join(stalled.values()))
                self._end(Outcome.STALLED)

    def _run(self, name: str, loop: Callable[[], None]) -> None:
        thread = Thread(target=self._guard, args=(name, loop), name=name, daemon=True)
        self._threads[name] = thread
        thread.start()

    def _guard(self, name: str, loop: Callable[[], None]) -> None:
        """A loop that ends by an error ends the worker: half a worker is worse than none."""
        try:
            loop()
        except Stale:
            self._parts.logger.error("taken for dead by the others", worker=self.name)
            self._end(Outcome.LOST)
        except Exception as error:
            self._parts.logger.error("a loop failed", loop=name, exc_info=error)
            self._end(Outcome.BROKEN)

    def _end(self, outcome: Outcome) -> None:
        if not self._stopping.is_set():
            self._outcome = outcome
        self._ended.set()

    def _join(self, names: Iterable[str], end: float) -> bool:
        """Wait for loops to leave; True when one of them is late."""
        threads = [self._threads[name] for name in names if name in self._threads]
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, end - time.monotonic()))
        return any(thread.is_alive() for thread in threads)
