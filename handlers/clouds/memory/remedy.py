"""A refused or lost call as the error that names its remedy, as the real adapter raises it."""

from handlers.clouds.memory.faults import Call
from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.errors import Ambiguous, Fault, Reason, Retryable, Terminal

_TERMINAL: dict[int, Reason] = {
    400: Reason.REFUSED,
    401: Reason.CREDENTIALS,
    403: Reason.REFUSED,
    404: Reason.NOT_FOUND,
    413: Reason.QUOTA,
}


def fault_of(refusal: Refusal, call: Call) -> Fault:
    """The error for a service's answer."""
    kind, reason = _judge(refusal, call)
    return kind(refusal.message, reason, service=refusal.service)


def lost(error: Lost, call: Call) -> Fault:
    """The error for a call without an answer: a look-up can be repeated, a change may have been."""
    kind = Ambiguous if call.mutates else Retryable
    return kind(str(error), Reason.UNAVAILABLE, service=error.service)


def _judge(refusal: Refusal, call: Call) -> tuple[type[Fault], Reason]:
    if not call.mutates:
        return Retryable, Reason.UNAVAILABLE
    if "quota" in refusal.message.lower():
        return Terminal, Reason.QUOTA
    if refusal.code == "SecurityGroupRuleExists":
        return Ambiguous, Reason.REFUSED
    if _busy(refusal, call):
        return Retryable, Reason.UNAVAILABLE
    if refusal.status >= 500:
        return Ambiguous, Reason.UNAVAILABLE
    return Terminal, _TERMINAL.get(refusal.status, Reason.REFUSED)


def _busy(refusal: Refusal, call: Call) -> bool:
    """No effect now, but later: in use, in another task, or too many requests.

    Cinder says 400 where the others say 409.
    """
    busy_volume = call.verb == "delete_volume" and refusal.status == 400
    return busy_volume or refusal.status in (409, 429, 503)
