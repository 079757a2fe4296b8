"""The moments that the worker tells of. metrics.py counts them, logs.py writes them down."""

from typing import Protocol

import msgspec

from handlers.base import Next
from handlers.commands import Command
from handlers.errors import Fault
from handlers.operation import Operation
from handlers.resources import Kind, Service


class Telemetry(Protocol):
    """Told of what happens, from any thread; it MUST NOT raise and MUST NOT block.

    `step` is a step's key (`port/user-0`): labels use what stands before the slash.
    """

    # -- intake ---------------------------------------------------------------------------------
    def received(self, command: Command, verdict: str) -> None: ...
    def dead_lettered(self, reason: str, detail: str) -> None:
        """A message was refused; `detail` names it and says what to correct; no body."""
        ...

    def broker_connected(self, connected: bool, detail: str) -> None:
        """`detail` is the broker's host and port, or why there is no connection."""
        ...

    def broker_note(self, detail: str) -> None:
        """Something in the broker is not as we would declare it, but works."""
        ...

    # -- operations -----------------------------------------------------------------------------
    def opened(self, op: Operation) -> None: ...
    def finished(self, op: Operation) -> None: ...
    def acted(self, op: Operation, step: str, seconds: float) -> None: ...
    def done(self, op: Operation, step: str, verdict: Next) -> None: ...
    def fault(self, op: Operation, step: str, fault: Fault) -> None: ...
    def defect(self, op: Operation, step: str, error: Exception) -> None: ...
    def stale(self, op: Operation) -> None: ...
    def duplicate_removed(self, kind: Kind) -> None: ...
    def taken_over(self, operations: int) -> None: ...
    def holding(self, operations: int) -> None: ...

    # -- cloud ----------------------------------------------------------------------------------
    def request(
        self, service: Service, method: str, route: str, status: str, seconds: float
    ) -> None: ...
    def looked(self, service: Service, queries: int, seconds: float) -> None: ...
    def look_failed(self, service: Service, fault: Exception) -> None: ...

    # -- migrations -----------------------------------------------------------------------------
    def moved(self, direction: str, stage: str, reason: str, freeze: float) -> None:
        """An instance of a migration is at another stage; `freeze` is in seconds, 0 before it is
        known, `reason` empty or a Reason code."""
        ...

    def conductor_failed(self, error: Exception) -> None:
        """A step of a migration could not be worked out or written; it is tried again."""
        ...

    # -- ledger and relay -----------------------------------------------------------------------
    def committed(self, rows: int, seconds: float) -> None: ...
    def ledger_up(self, up: bool) -> None: ...
    def published(self, event_type: str) -> None: ...
    def publish_failed(self, error: Exception) -> None: ...


class Moving(msgspec.Struct, frozen=True, kw_only=True):
    """How one migration stands, for the gauges.

    `rate` is in instances per minute; `eta` the least and the most seconds to its end, None while
    nobody can tell.
    """

    direction: str
    status: str
    stages: dict[str, int] = {}
    failures: dict[str, int] = {}
    rate: float = 0.0
    eta: tuple[float, float] | None = None


class Silent:
    """Tells nobody: for tests and tools. Any moment is taken and dropped."""

    def __getattr__(self, name: str) -> "_Dropped":
        return _DROPPED


class _Dropped:
    def __call__(self, *args: object, **kwargs: object) -> None:
        return None


_DROPPED = _Dropped()
