"""An operation on an instance that is a stack, and looks at that stack, for tables of values."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from handlers.base import Answer, Cloud, Step
from handlers.commands import Body, Command, ResizeInstance
from handlers.errors import Reason, Terminal
from handlers.identity import stack_tags
from handlers.instance import Instance, Ref, Scope
from handlers.operation import SECOND, Operation
from handlers.resources import Kind, Present, Resource, Seen, Server, Stack

SUBJECT = "7f1c6d0e-3b0f-4a53-9a59-6f0f4f6f2d11"
SCOPE = Scope(cloud="cloud", region="region", project="tenant")
RESIZE = ResizeInstance(project="tenant", flavor="large")

#: The operation is opened at OPENED and may take half an hour.
OPENED = 1_000 * SECOND
DEADLINE = OPENED + 1800 * SECOND

REFS = {
    "stack": Ref(kind=Kind.STACK, id="k1", role="stack"),
    "server": Ref(kind=Kind.SERVER, id="s1", role="server"),
    "volume/data": Ref(kind=Kind.VOLUME, id="v1", role="volume/data"),
    "port/user-0": Ref(kind=Kind.PORT, id="p1", role="port/user-0"),
    "security-group": Ref(kind=Kind.SECURITY_GROUP, id="g1", role="security-group"),
}
RECORD = Instance(
    id=SUBJECT,
    scope=SCOPE,
    manager="orchestrator",
    resources=REFS,
    flavor="small",
    volume_size=5,
)


def operation(basis: Instance | None = RECORD, body: Body = RESIZE, **changes: Any) -> Operation:
    """An open operation with the id c1."""
    command = Command(id="c1", subject=SUBJECT, source="test", body=body)
    fields = {
        "command": command,
        "scope": SCOPE,
        "accepted": OPENED,
        "opened": OPENED,
        "deadline": DEADLINE,
        "basis": basis,
        **changes,
    }
    return Operation(**fields)


def stack(status: str = "CREATE_COMPLETE", write: str = "", **changes: Any) -> Stack:
    """The subject's stack; `write` is the last write that its tags name, none that of others."""
    fields = {
        "id": "k1",
        "name": f"trove-{SUBJECT}",
        "status": status,
        "tags": stack_tags(SUBJECT, write) if write else (),
        "subject": SUBJECT,
        "role": "stack" if write else None,
        **changes,
    }
    return Stack(**fields)


def server(status: str = "ACTIVE", task: str | None = None, flavor: str = "small") -> Server:
    return Server(id="s1", status=status, task=task, flavor=flavor, subject=SUBJECT, role="server")


def seen(*matches: Resource, at: int = OPENED + SECOND) -> Seen:
    """One look, by default a second after the opening."""
    return Present(matches, at)


class Calls:
    """Stands in for a cloud: takes every call, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., Answer]:
        def call(*asked: Any) -> Answer:
            self.made.append((name, *asked))
            return Answer(request_id="req-1")

        return call


def act(step: Step, op: Operation, look: Seen) -> tuple[tuple[Any, ...], Answer]:
    """The one call that a step makes, and its answer."""
    calls = Calls()
    answer = step.act(op, look, cast(Cloud, calls))
    (call,) = calls.made
    return call, answer


def reason_of(step: Step, op: Operation, look: Seen) -> Reason:
    """The reason of the Terminal that a check raises."""
    with pytest.raises(Terminal) as caught:
        step.check(op, look)
    return caught.value.reason
