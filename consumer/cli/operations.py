"""`operations list|show|explain|resume|fail`: what commands became of."""

import argparse
import getpass
import socket
from typing import Any

from consumer.cli.base import Command, Lister, Rows, ShowOne, limit
from consumer.cli.explain import explanation
from consumer.cli.render import Many, Pairs, console, lasted, now, when
from consumer.cli.tools import Mistake
from handlers.admission import by_operator
from handlers.operation import Operation, Phase

_LIVE = (Phase.QUEUED, Phase.FORWARD, Phase.UNDO)


class List(Lister):
    """List operations, the newest first."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--phase",
            action="append",
            choices=[str(phase) for phase in Phase],
            default=[],
            help="only this phase; may be given several times",
        )
        which.add_argument("--open", action="store_true", help="only what has not ended yet")
        parser.add_argument("--instance", default="", metavar="ID", help="only this instance")
        limit(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        phases = _LIVE if parsed_args.open else tuple(map(Phase, parsed_args.phase))
        found = self.tools.ledger().operations(phases, parsed_args.instance, parsed_args.limit)
        at = now()
        columns = ("Operation", "Command", "Instance", "Manager", "Phase", "Age", "Took", "Reason")
        return columns, [_row(op, at) for op in found]


class Show(ShowOne):
    """Show one operation with all that the ledger knows of it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return _one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        op = _get(self, parsed_args.operation)
        fields = _fields(op)
        return tuple(fields), tuple(fields.values())


class Explain(Command):
    """Tell what happened to an operation, line by line, and what to do now."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return _one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        op = _get(self, parsed_args.operation)
        page = console(self.app.stdout)
        for part in explanation(op, self.tools.ledger().events(op.id), now()):
            page.print(part)


class Resume(Command):
    """Open a failed operation again: it goes on where it ended."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return _one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        op = _get(self, parsed_args.operation)
        limits = self.tools.settings.limits
        seconds = limits.deadlines.get(op.command.name, limits.deadline)
        try:
            self.tools.ledger().reopen(op.id, _operator(), now() + int(seconds * 1e6))
        except ValueError as error:
            raise Mistake(f"{op.id} cannot be resumed: {error}.") from None
        self.say(f"{op.id} is open again; a worker takes it within a third of the lease.")


class Fail(Command):
    """End an operation by hand: its worker undoes what was done and ends it as failed."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return _one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        op = _get(self, parsed_args.operation)
        try:
            self.tools.ledger().cancel(op.id, _operator())
        except ValueError as error:
            raise Mistake(f"{op.id} cannot be ended: {error}.") from None
        self.say(f"{op.id} is marked; follow it with 'operations explain {op.id}'.")


def _one(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "operation", metavar="OPERATION", help="id of the operation (the command's)"
    )
    return parser


def _get(command: Command, operation: str) -> Operation:
    op = command.tools.ledger().operation(operation)
    if op is None:
        raise Mistake(
            f"There is no operation {operation}: it was never accepted, or is past its retention; "
            "'operations list' shows what there is."
        )
    return op


def _operator() -> str:
    return by_operator(f"{getpass.getuser()}@{socket.gethostname()}")


def _row(op: Operation, at: int) -> tuple[Any, ...]:
    return (
        op.id,
        op.command.name,
        op.subject,
        op.manager,
        str(op.phase),
        lasted(at - op.accepted),
        lasted(op.finished - op.accepted) if op.finished else "",
        str(op.failure.reason) if op.failure else "",
    )


def _fields(op: Operation) -> dict[str, Any]:
    failure = op.failure
    return {
        "operation": op.id,
        "command": op.command.name,
        "instance": op.subject,
        "project": op.scope.project,
        "cloud": op.scope.cloud,
        "region": op.scope.region,
        "source": op.command.source,
        "manager": op.manager,
        "phase": str(op.phase),
        "accepted": when(op.accepted),
        "opened": when(op.opened),
        "deadline": when(op.deadline),
        "finished": when(op.finished),
        "owner": op.owner,
        "attempts": op.attempts,
        "cancelled_by": op.cancelled or "",
        "done": Many(sorted(op.done)),
        "resources": Pairs(
            {key: facts["id"] for key, facts in op.learned.items() if "id" in facts}
        ),
        "reason": str(failure.reason) if failure else "",
        "message": failure.message if failure else "",
        "request_id": (failure.request_id or "") if failure else "",
        "left_behind": Many([str(ref) for ref in op.left]),
    }
