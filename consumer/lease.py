"""The lease: a worker says that it lives, and knows beyond doubt whether others believe it."""

import time
from collections.abc import Callable
from threading import Event

from consumer.clock import LedgerClock
from consumer.ledger.base import Ledger, Unavailable
from consumer.telemetry.base import Telemetry
from handlers.operation import Micros

#: The part of the time to live for which a heartbeat counts as beyond doubt. The rest is for
#: clocks that run at different speeds and for the call that follows the question.
CERTAIN = 2 / 3


class Lease:
    """Heartbeats of one worker, a third of the time to live apart; sets the ledger clock."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        worker: str,
        host: str,
        ttl: float,
        clock: LedgerClock,
        telemetry: Telemetry,
        beat: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`ttl` in seconds; `beat` is called in every round of `run`."""
        self._ledger = ledger
        self._worker = worker
        self._host = host
        self._ttl = ttl
        self._clock = clock
        self._telemetry = telemetry
        self._beat = beat
        self._monotonic = monotonic
        self._renewed = float("-inf")
        self._registered = False
        self._stopped = Event()

    def renew(self) -> bool:
        """One heartbeat (the first one registers); False when the ledger does not answer.

        Raises Stale when others have taken this worker for dead.
        """
        began = self._monotonic()
        try:
            database = self._ask()
        except Unavailable:
            self._telemetry.ledger_up(up=False)
            return False
        middle = (began + self._monotonic()) / 2
        self._clock.set(database, int(middle * 1e6))
        self._renewed = began
        self._telemetry.ledger_up(up=True)
        return True

    def sure(self) -> bool:
        """Whether nobody can have taken this worker's operations yet."""
        return self._monotonic() - self._renewed < self._ttl * CERTAIN

    def run(self) -> None:
        """Renew until `stop`; tries harder while the ledger is away. Raises Stale as `renew`."""
        while not self._stopped.is_set():
            pause = self._ttl / 3 if self.renew() else min(1.0, self._ttl / 3)
            self._beat()
            self._stopped.wait(pause)

    def stop(self) -> None:
        """Leave `run`. From any thread."""
        self._stopped.set()

    def retire(self) -> bool:
        """Let others take what this worker owns, at once; False when they have to wait."""
        try:
            self._ledger.retire(self._worker)
        except Unavailable:
            return False
        return True

    def _ask(self) -> Micros:
        if self._registered:
            return self._ledger.heartbeat(self._worker)
        database = self._ledger.register(self._worker, self._host)
        self._registered = True
        return database
