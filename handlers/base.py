"""The protocols: what a step, a manager and a cloud promise one another.

The words MUST, SHOULD and MAY are meant as in RFC 2119. tests/contract holds every implementation
to them.
"""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, Protocol

import msgspec

from handlers.commands import Command
from handlers.instance import Instance, Ref, Scope
from handlers.lacks import Lacks
from handlers.operation import Facts, Micros, Operation
from handlers.orders import (
    NewPort,
    NewServer,
    NewStack,
    NewVolume,
    Rules,
    StackAdoption,
    StackUpdate,
)
from handlers.resources import Kind, Query, Resource, Seen, Service


class Next(Enum):
    """What a step asks for, after it has looked."""

    DONE = "done"
    ACT = "act"
    WAIT = "wait"


class Answer(msgspec.Struct, frozen=True):
    """A cloud's answer to one mutating call.

    `resources` are the things that the answer describes, as they are now; empty when it describes
    none (202, 204). `facts` are what else was learned. `request_id` is the cloud's. `settled` is
    set by a step whose call, by succeeding, proves the step done: nobody needs to look again.
    """

    resources: tuple[Resource, ...] = ()
    facts: Facts = {}
    request_id: str | None = None
    settled: bool = False


class Step(Protocol):
    """A miniature reconciler: it looks, compares, and makes at most one mutating call.

    * `key` MUST be stable across releases of one plan revision and MUST be the same for the step
      that makes a thing and the step that removes it.
    * `needs` are keys of steps of the same plan that MUST be done before this one looks.
    * `unique`: a second call would make a second thing. `pivot`: after this call there is no way
      back. The intent of either is saved before the call, and neither is called again until
      whatever was called before can no longer land.
    """

    @property
    def key(self) -> str: ...
    @property
    def needs(self) -> frozenset[str]: ...
    @property
    def service(self) -> Service: ...
    @property
    def unique(self) -> bool: ...
    @property
    def pivot(self) -> bool: ...

    def wants(self, op: Operation) -> Query | None:
        """What must be seen before `check`; None when nothing can be there yet (Absent)."""
        ...

    def check(self, op: Operation, seen: Seen) -> Next:
        """Decide; MUST be pure. Raises Terminal when it can never be done."""
        ...

    def act(self, op: Operation, seen: Seen, world: "Cloud") -> Answer:
        """Make exactly one mutating call; raises Terminal, Retryable or Ambiguous."""
        ...

    def learn(self, op: Operation, seen: Seen) -> Facts:
        """What to keep of a thing that was seen or answered; MUST be pure."""
        ...

    def left(self, op: Operation) -> tuple[Ref, ...]:
        """What stays behind in the cloud when this step is never done; MUST be pure."""
        ...


class ResourceManager(Protocol):
    """The resource management interface: one engine behind the commands.

    `plan` and `undo` MUST be pure functions of command and basis. They raise Terminal with
    Reason.UNSUPPORTED for a command that the manager cannot do, and with another reason for one
    that makes no sense on this basis.
    """

    @property
    def name(self) -> str: ...

    def plan(self, command: Command, basis: Instance | None) -> tuple[Step, ...]: ...

    def undo(self, command: Command, basis: Instance | None) -> tuple[Step, ...]: ...

    def record(self, op: Operation) -> Instance | None:
        """The subject's record after `op` ended as `op.phase` says; None forgets the subject."""
        ...

    def leftovers(self, op: Operation) -> tuple[Ref, ...]:
        """What a failed operation leaves in the cloud that should not be there."""
        ...


class Cloud(Protocol):
    """One cloud, region and set of credentials.

    Every call MUST end within the service's time-out. Mutating calls MUST be sent at most once and
    raise only Terminal, Retryable or Ambiguous (clouds/faults.py says which); look-ups raise
    Retryable only. All resources carry `subject` and `role` when they carry an identity.
    """

    @property
    def project(self) -> str:
        """Id of the project in which the credentials make resources."""
        ...

    # -- look-ups -------------------------------------------------------------------------------

    def changed(self, kind: Kind, since: Micros) -> tuple[Resource, ...] | None:
        """What changed since; proves presence only. None where the service has no such filter."""
        ...

    def get(self, kind: Kind, ids: Collection[str]) -> tuple[Resource, ...]:
        """The resources with these ids; one that is missing here is not there."""
        ...

    def find(self, kind: Kind, subjects: Collection[str]) -> tuple[Resource, ...]:
        """All resources that carry the identity of one of the subjects."""
        ...

    def in_full(self, kind: Kind, name: str, one: str) -> Resource | None:
        """The resource of this id with what no listing tells; None when there is none. `name` is
        asked for as well where the service wants it (a stack's)."""
        ...

    def every(self, kind: Kind) -> tuple[Resource, ...]:
        """All resources of a kind in the credentials' project, by the largest pages that the
        service gives: for tools that compare a whole fleet, not for steps."""
        ...

    def stack_template(self, subject: str, stack: str) -> Mapping[str, Any] | None:
        """The template that Heat stores, as data; None when the stack is not there."""
        ...

    def stack_members(self, subject: str, stack: str) -> Mapping[str, str]:
        """The cloud ids that Heat stores, by resource name; empty when the stack is not there."""
        ...

    def lacks(self) -> tuple[Lacks, ...]:
        """What a migration into stacks needs and this cloud does not allow; empty when it allows
        all of it. To find out, an empty stack is adopted and deleted again: nothing else is made.
        Raises Retryable when the cloud cannot be asked now."""
        ...

    # -- network --------------------------------------------------------------------------------

    def create_security_group(self, subject: str, role: str, text: str) -> Answer: ...
    def delete_security_group(self, group: str) -> Answer: ...
    def create_rules(self, new: Rules) -> Answer:
        """All of them or none (one bulk POST). A rule that is there already: Ambiguous."""
        ...

    def delete_rule(self, rule: str) -> Answer: ...
    def create_port(self, new: NewPort) -> Answer: ...
    def delete_port(self, port: str) -> Answer: ...

    # -- block storage --------------------------------------------------------------------------

    def create_volume(self, new: NewVolume) -> Answer: ...
    def extend_volume(self, volume: str, size: int) -> Answer: ...
    def reset_volume(self, volume: str, status: str) -> Answer:
        """Set the status by hand (an administrator's right: Terminal without it)."""
        ...

    def delete_volume(self, volume: str) -> Answer: ...

    # -- compute --------------------------------------------------------------------------------

    def create_server(self, new: NewServer) -> Answer: ...
    def resize_server(self, server: str, flavor: str) -> Answer: ...
    def confirm_resize(self, server: str) -> Answer: ...
    def revert_resize(self, server: str) -> Answer: ...
    def reset_server(self, server: str) -> Answer:
        """Set an ERROR server ACTIVE by hand (an administrator's right: Terminal without it)."""
        ...

    def delete_server(self, server: str) -> Answer: ...
    def doom_volume(self, server: str, volume: str, doomed: bool) -> Answer:
        """Whether Nova deletes the attached volume with the server (`delete_on_termination`).
        Terminal(UNSUPPORTED) on a Nova before 2.85 (Ussuri)."""
        ...

    # -- orchestration: a stack's name is made from its subject (identity.py) -------------------

    def create_stack(self, new: NewStack) -> Answer:
        """Without rollback. A name that is taken: Ambiguous."""
        ...

    def adopt_stack(self, new: StackAdoption) -> Answer:
        """Without rollback. A name that is taken: Ambiguous; adoption is not enabled: Terminal
        (UNSUPPORTED) that names the setting."""
        ...

    def check_stack(self, subject: str, stack: str) -> Answer:
        """Have Heat look whether what is in it is there: CHECK_COMPLETE or CHECK_FAILED."""
        ...

    def preview_stack(self, change: StackUpdate) -> Answer:
        """What an update would do, without doing it: the facts `replaced`, `added`, `deleted`,
        `updated` and `unchanged` are sorted lists of resource names."""
        ...

    def update_stack(self, change: StackUpdate) -> Answer: ...
    def cancel_stack_update(self, subject: str, stack: str) -> Answer:
        """Without rollback: the stack is UPDATE_FAILED, what was begun in it may go on."""
        ...

    def delete_stack(self, subject: str, stack: str) -> Answer: ...


class Clouds(Protocol):
    """The clouds that a worker may act on."""

    def of(self, scope: Scope) -> Cloud:
        """The cloud of a scope; raises Terminal(INVALID) for one that is not configured."""
        ...


class Probe(Protocol):
    """Is told of every request to a cloud, for metrics. `route` is a template without ids."""

    def __call__(
        self, service: Service, method: str, route: str, status: str, seconds: float
    ) -> None: ...
