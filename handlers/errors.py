"""Failures, named by their remedy.

A step or a cloud adapter raises one of three faults; the reconciler needs nothing else to decide
what happens next. `Stale` is not a fault of the cloud: it tells a worker that the operation is no
longer its own.
"""

from enum import StrEnum


class Reason(StrEnum):
    """The closed list of reason codes that events, metrics and the ledger use."""

    INVALID = "invalid"
    CONFLICT = "conflict"
    UNSUPPORTED = "unsupported"
    NOT_OWNED = "not_owned"
    NOT_FOUND = "not_found"
    EXISTS = "exists"
    DRIFT = "drift"
    DELETED = "deleted"
    QUOTA = "quota"
    REFUSED = "refused"
    CLOUD_ERROR = "cloud_error"
    UNAVAILABLE = "unavailable"
    CREDENTIALS = "credentials"
    DEADLINE = "deadline"
    QUEUE_TIMEOUT = "queue_timeout"
    SUPERSEDED = "superseded"
    OPERATOR = "operator"
    INTERNAL = "internal"


#: Reasons after which the same command, sent again under a new id, may well succeed.
WORTH_A_RETRY = frozenset(
    {
        Reason.QUOTA,
        Reason.CLOUD_ERROR,
        Reason.UNAVAILABLE,
        Reason.CREDENTIALS,
        Reason.DEADLINE,
        Reason.QUEUE_TIMEOUT,
    }
)

#: What the reader of an event or of `operations explain` should do about it.
REMEDY: dict[Reason, str] = {
    Reason.INVALID: "correct the command and send it under a new id",
    Reason.CONFLICT: "use a new id for every new command",
    Reason.UNSUPPORTED: "send a command that the manager of this instance supports",
    Reason.NOT_OWNED: "name only resources that belong to the instance and its project",
    Reason.NOT_FOUND: "check the ids that the command names",
    Reason.DRIFT: "compare the record with the cloud: somebody changed one behind the other's back",
    Reason.EXISTS: "delete the instance first, or use another instance id",
    Reason.DELETED: "use another instance id: this one was deleted",
    Reason.QUOTA: "raise the quota or free resources, then send the command again",
    Reason.REFUSED: "read the cloud's own message: it does not accept this request",
    Reason.CLOUD_ERROR: "read the cloud's own message, repair the cloud, then send it again",
    Reason.UNAVAILABLE: "wait until the cloud service answers again, then send it again",
    Reason.CREDENTIALS: "give the worker credentials that the cloud accepts, then send it again",
    Reason.DEADLINE: "find out why the cloud did not finish in time, then send it again",
    Reason.QUEUE_TIMEOUT: "look at the operation that is open on this instance, then send it again",
    Reason.SUPERSEDED: "nothing: a later delete took its place",
    Reason.OPERATOR: "ask the operator who ended it by hand",
    Reason.INTERNAL: "report it with the operation's timeline: this is a defect",
}


class Fault(Exception):
    """A call or a check that did not go well.

    `message` is the cloud's own text where there is one, already masked and truncated by the
    adapter (faults.py); `request_id` is the cloud's, not ours.
    """

    def __init__(
        self,
        message: str,
        reason: Reason = Reason.CLOUD_ERROR,
        *,
        service: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.service = service
        self.request_id = request_id


class Terminal(Fault):
    """It will never work and had no effect: undo."""


class Retryable(Fault):
    """It had no effect this time: try again later."""


class Ambiguous(Fault):
    """It may or may not have acted: look before anything else."""


class Stale(Exception):
    """Another worker owns the operation now: drop it without a trace."""
