"""The moments as log lines. At level info a create writes about seven of them."""

import time
from collections.abc import Callable

from consumer.telemetry.logs import Logger
from handlers.base import Next
from handlers.commands import Command
from handlers.errors import Fault, Retryable
from handlers.operation import SECOND, Operation
from handlers.resources import Kind, Service

#: The same trouble (a service that is down) is told once in this many seconds.
REPEAT = 30.0


class Journal:
    """Writes the moments down; implements Telemetry. No bodies, no secrets."""

    def __init__(self, logger: Logger, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = logger
        self._monotonic = monotonic
        self._told: dict[str, float] = {}
        self._broker: bool | None = None
        self._ledger: bool | None = None

    # -- intake ---------------------------------------------------------------------------------

    def received(self, command: Command, verdict: str) -> None:
        self._log.info(
            "command received",
            command_id=command.id,
            instance_id=command.subject,
            operation=command.name,
            verdict=verdict,
            trace=command.trace,
        )

    def dead_lettered(self, reason: str, detail: str) -> None:
        self._log.warning("message dead-lettered", reason=reason, detail=detail)

    def broker_connected(self, connected: bool, detail: str) -> None:
        if connected is not self._broker:
            tell = self._log.info if connected else self._log.warning
            tell("broker connected" if connected else "broker lost", detail=detail)
        self._broker = connected

    def broker_note(self, detail: str) -> None:
        self._log.warning("broker differs", detail=detail)

    # -- operations -----------------------------------------------------------------------------

    def opened(self, op: Operation) -> None:
        self._log.info("opened", **_who(op), waited=_seconds(op.opened - op.accepted))

    def finished(self, op: Operation) -> None:
        seconds = _seconds(op.finished - op.accepted)
        if op.failure is None:
            self._log.info("succeeded", **_who(op), seconds=seconds)
            return
        self._log.warning(
            "failed",
            **_who(op),
            seconds=seconds,
            reason=op.failure.reason.value,
            message=op.failure.message,
            service=op.failure.service,
            request_id=op.failure.request_id,
            left_behind=[str(ref) for ref in op.left],
        )

    def acted(self, op: Operation, step: str, seconds: float) -> None:
        self._log.info(
            "acted", **_who(op), step=step, seconds=round(seconds, 3), request_id=_request(op, step)
        )

    def done(self, op: Operation, step: str, verdict: Next) -> None:
        self._log.debug("step done", **_who(op), step=step)

    def fault(self, op: Operation, step: str, fault: Fault) -> None:
        self._log.warning(
            "retrying" if isinstance(fault, Retryable) else "fault",
            **_who(op),
            step=step,
            kind=type(fault).__name__.lower(),
            reason=fault.reason.value,
            message=fault.message,
            service=fault.service,
            request_id=fault.request_id,
        )

    def defect(self, op: Operation, step: str, error: Exception) -> None:
        self._log.error("defect", **_who(op), step=step, exc_info=error)

    def stale(self, op: Operation) -> None:
        self._log.warning("dropped: another worker owns it now", **_who(op))

    def duplicate_removed(self, kind: Kind) -> None:
        self._log.warning("duplicate removed", kind=kind.value)

    def taken_over(self, operations: int) -> None:
        self._log.warning("operations taken over", operations=operations)

    def holding(self, operations: int) -> None:
        pass

    # -- cloud ----------------------------------------------------------------------------------

    def request(
        self, service: Service, method: str, route: str, status: str, seconds: float
    ) -> None:
        self._log.debug(
            "cloud request",
            service=service.value,
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 3),
        )

    def looked(self, service: Service, queries: int, seconds: float) -> None:
        pass

    def look_failed(self, service: Service, fault: Exception) -> None:
        if self._is_news(f"look {service.value}"):
            self._log.warning("look-up failed", service=service.value, message=str(fault))

    # -- migrations -----------------------------------------------------------------------------

    def moved(self, direction: str, stage: str, reason: str, freeze: float) -> None:
        """Its operation and the event tell it already."""

    def conductor_failed(self, error: Exception) -> None:
        if self._is_news("conductor"):
            self._log.error("a migration's step failed", exc_info=error)

    # -- ledger and relay -----------------------------------------------------------------------

    def committed(self, rows: int, seconds: float) -> None:
        pass

    def ledger_up(self, up: bool) -> None:
        if up is not self._ledger and (self._ledger is not None or not up):
            tell = self._log.info if up else self._log.warning
            tell("ledger is back" if up else "ledger does not answer")
        self._ledger = up

    def published(self, event_type: str) -> None:
        self._log.debug("event published", event_type=event_type)

    def publish_failed(self, error: Exception) -> None:
        if self._is_news("publish"):
            self._log.warning("events wait: cannot publish", message=str(error))

    def _is_news(self, trouble: str) -> bool:
        """Whether this trouble was not told within the last REPEAT seconds."""
        now = self._monotonic()
        if now - self._told.get(trouble, float("-inf")) < REPEAT:
            return False
        self._told[trouble] = now
        return True


def _who(op: Operation) -> dict[str, str]:
    """What every line about an operation carries."""
    return {
        "command_id": op.id,
        "instance_id": op.subject,
        "operation": op.command.name,
        "manager": op.manager,
        "phase": op.phase.value,
    }


def _request(op: Operation, step: str) -> str | None:
    """The cloud's id of the last request of a step."""
    return next(
        (
            line.request_id
            for line in reversed(op.timeline)
            if line.step == step and line.request_id
        ),
        None,
    )


def _seconds(micros: int) -> float:
    return round(micros / SECOND, 3)
