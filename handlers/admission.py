"""Which commands make sense on which record, whoever the manager is."""

from handlers.commands import (
    Command,
    CreateInstance,
    CreateSecurityGroup,
    DeleteInstance,
    DeleteSecurityGroup,
)
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, State
from handlers.keys import STACK
from handlers.operation import Operation
from handlers.resources import Kind

_CREATES = (CreateInstance, CreateSecurityGroup)
_DELETES = (DeleteInstance, DeleteSecurityGroup)


#: What `Operation.cancelled` begins with where no command did it.
_OPERATOR = "operator "


def supersedes(command: Command) -> bool:
    """Whether it takes the place of what is queued or open on its subject."""
    return isinstance(command.body, _DELETES)


def heed_cancellation(op: Operation) -> None:
    """Raise Terminal for an operation that a later delete or an operator cancelled.

    A delete is not superseded by another one: what is under way is what is asked for.
    """
    if op.cancelled is None:
        return
    if op.cancelled.startswith(_OPERATOR):
        raise Terminal(f"ended by {op.cancelled}", Reason.OPERATOR)
    if not supersedes(op.command):
        raise Terminal(f"superseded by delete {op.cancelled}", Reason.SUPERSEDED)


def by_operator(who: str) -> str:
    """What `Ledger.cancel` is told by an operator, or by what acts for one."""
    return f"{_OPERATOR}{who}"


def admit(command: Command, basis: Instance | None) -> None:
    """Raise Terminal for a command that must not run on this record.

    A delete is admitted always, except one of a group that names an instance: of something unknown
    it ends well and leaves a tombstone. A create on a tombstone is refused, because it would come
    back to life what its owner thinks is gone.
    """
    if basis is not None and basis.scope.project != command.body.project:
        raise Terminal(f"{command.subject} belongs to another project", Reason.NOT_OWNED)
    if isinstance(command.body, DeleteSecurityGroup) and _has_more(basis):
        raise Terminal(
            f"{command.subject} is an instance, not a security group of its own", Reason.INVALID
        )
    if supersedes(command):
        return
    if basis is not None and basis.state is State.DELETED:
        raise Terminal(f"{command.subject} was deleted", Reason.DELETED)
    if isinstance(command.body, _CREATES):
        if basis is not None:
            raise Terminal(f"{command.subject} exists already", Reason.EXISTS)
    elif basis is None and command.resources is None:
        raise Terminal(
            f"{command.subject} is not known: name its resources in the command", Reason.NOT_FOUND
        )


def _has_more(basis: Instance | None) -> bool:
    """Whether more than a security group, and the stack that made it, belongs to the subject."""
    return basis is not None and any(
        key == STACK or ref.kind not in (Kind.SECURITY_GROUP, Kind.STACK)
        for key, ref in basis.resources.items()
    )
