"""Time, injected everywhere: workers use the real clock, tests a virtual one."""

import time
from typing import Protocol

from handlers.operation import Micros


class Clock(Protocol):
    """Ledger time in microseconds, and a way to let it pass."""

    def now(self) -> Micros: ...
    def sleep(self, seconds: float) -> None: ...


class LedgerClock:
    """Database time at the last heartbeat, carried on by the local monotonic clock.

    So workers whose wall clocks differ agree on deadlines and leases.
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() // 1000 - time.monotonic_ns() // 1000

    def set(self, database: Micros, monotonic: Micros) -> None:
        """Take the database's time, read when the local monotonic clock said `monotonic`."""
        self._offset = database - monotonic

    def now(self) -> Micros:
        return time.monotonic_ns() // 1000 + self._offset

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
