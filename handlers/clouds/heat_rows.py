"""Heat's rows of the table of faults.

Types and texts are those of Heat 27, measured. What none of these rows knows is decided by the rows
of all services: 404 EntityNotFound, 403, 409 ActionInProgress (busy), 500 RemoteError.
"""

from handlers.clouds.refusals import Effect, Trouble
from handlers.clouds.row import LOOK, MUTATING, Row
from handlers.errors import Ambiguous, Reason, Retryable, Terminal

_HEAT = "orchestration"
_BAD = frozenset({400})
_MAKE = frozenset({Effect.MAKE})
_CHANGE = frozenset({Effect.CHANGE})

HEAT: tuple[Row, ...] = (
    Row(
        why="Heat makes a trust for every stack, and Keystone refuses that",
        service=_HEAT,
        troubles=frozenset({Trouble.TRUSTS}),
        explains=True,
        fault=Terminal,
        reason=Reason.CREDENTIALS,
    ),
    Row(
        why="Heat cannot make a trust with the roles of these credentials",
        service=_HEAT,
        statuses=_BAD,
        effects=MUTATING,
        text=r"\bMissingCredentialError\b",
        explains=True,
        fault=Terminal,
        reason=Reason.CREDENTIALS,
    ),
    Row(
        why="no engine of Heat answers its API: see whether one is up",
        service=_HEAT,
        statuses=frozenset({500}),
        effects=LOOK,
        text=r"\bMessagingTimeout\b",
        explains=True,
        fault=Retryable,
        reason=Reason.UNAVAILABLE,
    ),
    Row(
        why="no engine of Heat answers its API: one that comes up may still carry this out",
        service=_HEAT,
        statuses=frozenset({500}),
        effects=MUTATING,
        text=r"\bMessagingTimeout\b",
        explains=True,
        fault=Ambiguous,
        reason=Reason.UNAVAILABLE,
    ),
    Row(
        why="the name is taken: perhaps by a call of ours whose answer was lost",
        service=_HEAT,
        statuses=frozenset({409}),
        effects=_MAKE,
        text=r"\bStackExists\b|already exists",
        fault=Ambiguous,
        reason=Reason.REFUSED,
    ),
    Row(
        why="nothing to cancel, or it is being deleted: perhaps in the wanted state already",
        service=_HEAT,
        statuses=_BAD,
        effects=_CHANGE,
        text=r"\bNotSupported\b.* when (stack is|it is deleting)",
        fault=Ambiguous,
        reason=Reason.REFUSED,
    ),
    Row(
        why="the project has all the stacks that Heat allows it, or the stack too many resources",
        service=_HEAT,
        statuses=_BAD,
        effects=MUTATING,
        text=r"\bRequestLimitExceeded\b.*(maximum stacks|maximum resources)",
        fault=Terminal,
        reason=Reason.QUOTA,
    ),
    Row(
        why="this Heat lacks a resource type: its service is not in the catalogue, or a plug-in",
        service=_HEAT,
        statuses=_BAD,
        effects=MUTATING,
        text=r"Resource ?Type",
        fault=Terminal,
        reason=Reason.CLOUD_ERROR,
    ),
    Row(
        why="Heat looked for what the parameters name, and it is not there",
        service=_HEAT,
        statuses=_BAD,
        effects=MUTATING,
        text=r"could not be found|\bNo \w+ matching\b|\bUnable to find\b",
        fault=Terminal,
        reason=Reason.NOT_FOUND,
    ),
)
