"""Instances for the runs that move them: made, imported, and removed again."""

from collections.abc import Iterator, Sequence

from handlers.commands import Command, DeleteInstance
from tests.real.desk import Desk
from tests.real.ground import Ground
from tests.real.phases import TENANT
from tests.real.shapes import Shape, create_of, make_as_trove, write_rows
from tests.real.shell import Shell


def make(on: Ground, desk: Desk, shell: Shell, fleet: Sequence[Shape]) -> Iterator[str]:
    """Make all of them, and record those that Trove made; tells what went wrong."""
    ours = [each for each in fleet if not each.trove]
    commands = [desk.send(create_of(on.site, each), each.subject) for each in ours]
    rows = make_as_trove(on.project, on.site, [each for each in fleet if each.trove])
    desk.wait("instances are made", lambda: not desk.open(commands))
    yield from failed(desk, commands)
    if rows:
        said = shell.insist("instances", "import", "--from", str(write_rows(rows, on.folder)))
        if said.code:
            yield f"failed: {said.line}: {said.out} {said.err}"


def failed(desk: Desk, commands: Sequence[Command]) -> Iterator[str]:
    """Those that did not end well."""
    for command in commands:
        data = desk.data(command)
        if data["error"] or data["left_behind"]:
            yield f"failed: {command.name} of {command.subject}: {data['error']}"


def remove(on: Ground, desk: Desk, fleet: Sequence[Shape]) -> Iterator[str]:
    """Delete all of them; tells what failed, and what is left in the project."""
    body = DeleteInstance(project=TENANT)
    commands = [desk.send(body, each.subject) for each in fleet]
    desk.wait("instances are deleted", lambda: not desk.open(commands))
    yield from failed(desk, commands)
    left = on.project.look()
    for kind in ("servers", "volumes", "ports", "groups", "stacks", "others"):
        if found := getattr(left, kind):
            yield f"leaked: {len(found)} {kind}: {found}"
