"""Broken managers: each does one thing wrong that the suite must see."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from handlers.base import Next, ResourceManager, Step
from handlers.commands import (
    Command,
    CreateInstance,
    DeleteInstance,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Ref
from handlers.natives import Natives
from handlers.operation import Operation
from handlers.parts import Network
from handlers.resources import Kind, Seen
from handlers.steps.claim import Claim
from handlers.steps.remove import Remove
from handlers.steps.servers import ensure_server
from tests.contract.managers.scenarios import (
    Scenario,
    create,
    delete,
    failures,
    flavors,
    foreign,
    groups,
    refusals,
    volumes,
)

Plan = tuple[Step, ...]
Plans = Callable[[Command, Instance | None, Plan], Plan]
Records = Callable[[Operation, Instance | None], Instance | None]


class Broken:
    """A `good` manager, but for what is passed in."""

    def __init__(
        self,
        good: ResourceManager | None = None,
        plan: Plans = lambda command, basis, plan: plan,
        undo: Plans = lambda command, basis, plan: plan,
        record: Records = lambda op, record: record,
        change: Callable[[Command], Command] = lambda command: command,
    ) -> None:
        self._good = good or Natives()
        self.name = self._good.name
        self._plan, self._undo, self._record, self._change = plan, undo, record, change

    def plan(self, command: Command, basis: Instance | None) -> Plan:
        return self._plan(command, basis, self._good.plan(self._change(command), basis))

    def undo(self, command: Command, basis: Instance | None) -> Plan:
        return self._undo(command, basis, self._good.undo(command, basis))

    def record(self, op: Operation) -> Instance | None:
        return self._record(op, self._good.record(op))

    def leftovers(self, op: Operation) -> tuple[Ref, ...]:
        return self._good.leftovers(op)


class Pretending(Broken):
    """Says yes to what it cannot do."""

    def plan(self, command: Command, basis: Instance | None) -> Plan:
        try:
            return super().plan(command, basis)
        except Terminal as fault:
            if fault.reason is Reason.UNSUPPORTED:
                return ()
            raise

    def record(self, op: Operation) -> Instance | None:
        return op.basis


@dataclass(frozen=True, slots=True)
class Credulous(Claim):
    """A claim that believes whatever the command says."""

    def check(self, op: Operation, seen: Seen) -> Next:
        return Next.DONE


def without(kind: type, *keys: str) -> Plans:
    """Steps with these keys are left out of the plans of one kind of command, and nobody needs
    them."""

    def plan(command: Command, basis: Instance | None, plan: Plan) -> Plan:
        if not isinstance(command.body, kind):
            return plan
        kept = [step for step in plan if step.key.partition("/")[0] not in keys]
        there = frozenset(step.key for step in kept)
        return tuple(Ordered(step, step.needs & there) for step in kept)

    return plan


def _believe(command: Command, basis: Instance | None, plan: Plan) -> Plan:
    return tuple(
        Credulous(step.key, step.kind, step.id, step.subject, step.needs)
        if isinstance(step, Claim)
        else step
        for step in plan
    )


def _new_server(command: Command, basis: Instance | None, plan: Plan) -> Plan:
    """A resize by a new server on the old ports."""
    body = command.body
    if not isinstance(body, ResizeInstance) or basis is None:
        return plan
    ports = tuple(key for key, ref in basis.resources.items() if ref.kind is Kind.PORT)
    again = CreateInstance(
        project=body.project,
        name="again",
        flavor=body.flavor,
        image="5c1c7d2e-52d0-4d4f-9c7e-3a1a57d0b001",
        networks=(Network(network="unused"),),
    )
    gone = Remove("old", Kind.SERVER, command.subject, everything=True)
    return (gone, ensure_server(command.subject, again, ports, needs=frozenset({"old"})))


def _remove_first(command: Command, basis: Instance | None, plan: Plan) -> Plan:
    """Old rules go before new ones come."""
    if not isinstance(command.body, UpdateSecurityGroupRules):
        return plan
    add, remove = plan
    return (
        Ordered(remove, frozenset()),
        Ordered(add, frozenset({remove.key})),
    )


class Ordered:
    """A step with other needs."""

    def __init__(self, step: Step, needs: frozenset[str]) -> None:
        self.needs = needs
        self.key, self.service, self.unique, self.pivot = (
            step.key,
            step.service,
            step.unique,
            step.pivot,
        )
        self.wants, self.check, self.act = step.wants, step.check, step.act
        self.learn, self.left = step.learn, step.left


def _creating(**more: object) -> Callable[[Command], Command]:
    """Creates are made with something else than what was asked for."""

    def change(command: Command) -> Command:
        if not isinstance(command.body, CreateInstance):
            return command
        return replace(command, body=replace(command.body, **more))

    return change


def _unchanged(op: Operation, record: Instance | None) -> Instance | None:
    return op.basis or record


def _forgotten(op: Operation, record: Instance | None) -> Instance | None:
    return None if isinstance(op.command.body, DeleteInstance) else record


#: What is wrong -> the manager, and the scenario that must fail.
MUTANTS: dict[str, tuple[Broken, Scenario]] = {
    "deletes forget the volume": (
        Broken(plan=without(DeleteInstance, "volumes")),
        delete.deleting_twice_ends_well_twice,
    ),
    "deletes forget the security group": (
        Broken(plan=without(DeleteInstance, "security-groups")),
        create.an_instance_without_volume_and_access_has_neither,
    ),
    "deletes leave no tombstone": (
        Broken(record=_forgotten),
        delete.deleting_the_unknown_ends_well_and_leaves_a_tombstone,
    ),
    "a failed create is not undone": (
        Broken(undo=lambda command, basis, plan: ()),
        failures.a_server_that_goes_to_error_is_undone,
    ),
    "an undo forgets the ports": (
        Broken(undo=without(CreateInstance, "port")),
        failures.a_server_that_goes_to_error_is_undone,
    ),
    "an undo forgets the volume": (
        Broken(undo=without(CreateInstance, "volume")),
        failures.over_quota_ends_clearly_and_leaves_nothing,
    ),
    "a resize makes a new server": (
        Broken(plan=_new_server),
        flavors.a_server_is_resized_up_and_down_in_place,
    ),
    "a resize is not confirmed": (
        Broken(plan=without(ResizeInstance, "confirm")),
        flavors.a_server_is_resized_up_and_down_in_place,
    ),
    "a volume resize does nothing": (
        Broken(plan=without(ResizeVolume, "extend")),
        volumes.a_volume_grows_in_use_and_never_shrinks,
    ),
    "old rules go first": (
        Broken(plan=_remove_first),
        groups.an_instances_rules_change_without_a_moment_of_no_access,
    ),
    "old rules stay": (
        Broken(plan=without(UpdateSecurityGroupRules, "old-rules")),
        groups.a_group_of_its_own_lives_its_life,
    ),
    "the record does not change": (
        Broken(record=_unchanged),
        flavors.a_server_is_resized_up_and_down_in_place,
    ),
    "user data get lost": (
        Broken(change=_creating(user_data=None)),
        create.an_instance_has_everything_that_was_asked_for,
    ),
    "one network is enough": (
        Broken(change=_creating(networks=(Network(network="unused"),))),
        create.an_instance_has_everything_that_was_asked_for,
    ),
    "the config drive gets lost": (
        Broken(change=_creating(config_drive=False)),
        create.an_instance_has_everything_that_was_asked_for,
    ),
    "named resources are believed": (
        Broken(plan=_believe),
        foreign.what_is_not_the_subjects_is_refused_untouched,
    ),
    "what it cannot do ends well": (
        Pretending(),
        refusals.what_the_manager_cannot_do_ends_as_unsupported,
    ),
}
