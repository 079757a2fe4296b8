"""A refused or lost call as a fault, by the same table as the real adapter's."""

from handlers.clouds import faults, refusals
from handlers.clouds.memory.faults import Call
from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.clouds.refusals import Effect, Trouble
from handlers.errors import Fault

_EFFECTS = {
    "create": Effect.MAKE,
    "adopt": Effect.MAKE,
    "delete": Effect.REMOVE,
    "get": Effect.LOOK,
    "find": Effect.LOOK,
    "changed": Effect.LOOK,
}


def fault_of(error: Refusal | Lost, call: Call) -> Fault:
    """The fault for a service's answer, for a cut connection, or for a proxy's 5xx."""
    effect = _EFFECTS.get(call.verb.partition("_")[0], Effect.CHANGE)
    if isinstance(error, Lost):
        told = refusals.Refusal(
            service=error.service,
            effect=effect,
            status=error.status or 0,
            trouble=_trouble(error),
            own=False,
            text=str(error),
        )
    else:
        told = refusals.Refusal(
            service=error.service,
            effect=effect,
            status=error.status,
            code=error.code,
            text=error.message,
            request_id=error.request_id,
        )
    return faults.fault_of(told)


def _trouble(error: Lost) -> Trouble | None:
    if error.status is not None:
        return None
    return Trouble.RESET if error.sent else Trouble.REFUSED
