"""An operation to tell of, and every moment that can be told."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from consumer.telemetry.base import Telemetry
from handlers.commands import Command, DeleteInstance
from handlers.errors import Reason, Retryable
from handlers.instance import Ref, Scope
from handlers.operation import SECOND, Failure, Operation, Phase
from handlers.resources import Kind, Service

COMMAND = Command(
    id="command-1", subject="instance-1", source="test", body=DeleteInstance(project="project-1")
)

OPEN = Operation(
    command=COMMAND,
    scope=Scope(cloud="trove", region="RegionOne", project="project-1"),
    accepted=100 * SECOND,
    opened=103 * SECOND,
    manager="NATIVES",
    phase=Phase.FORWARD,
)

FAILED = OPEN.to_undo(
    Failure(
        reason=Reason.QUOTA, message="Quota exceeded for cores", service="compute", request_id="r-1"
    ),
    deadline=900 * SECOND,
).end(120 * SECOND, [Ref(kind=Kind.PORT, id="port-1")])

SUCCEEDED = OPEN.end(120 * SECOND)

_ARGUMENTS: dict[str, Any] = {
    "command": COMMAND,
    "verdict": "new",
    "reason": "oversize",
    "detail": "broker:5672",
    "connected": True,
    "op": FAILED.note(104 * SECOND, "called", "port/user-0"),
    "step": "port/user-0",
    "seconds": 0.5,
    "fault": Retryable("busy", Reason.UNAVAILABLE),
    "error": ValueError("wrong"),
    "kind": Kind.PORT,
    "operations": 3,
    "service": Service.COMPUTE,
    "method": "GET",
    "route": "/servers/{id}",
    "status": "200",
    "queries": 4,
    "rows": 5,
    "up": True,
    "direction": "adopt",
    "stage": "verified",
    "freeze": 12.5,
    "event_type": "trove.resources.instance.create.end",
}


def _tell(name: str, arguments: tuple[str, ...], part: Telemetry) -> None:
    getattr(part, name)(*(_ARGUMENTS[argument] for argument in arguments))


#: Each moment of the protocol, and a call that tells it to somebody.
MOMENTS: dict[str, Callable[[Telemetry], None]] = {
    name: partial(_tell, name, tuple(inspect.signature(moment).parameters)[1:])
    for name, moment in vars(Telemetry).items()
    if inspect.isfunction(moment) and not name.startswith("_")
}


def tell_everything(part: Telemetry) -> None:
    for tell in MOMENTS.values():
        tell(part)
