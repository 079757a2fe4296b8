"""Broken moves: each does one thing wrong that the suite must see."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from handlers.base import Answer, Cloud, Next
from handlers.commands import AdoptInstance, Command, ReleaseInstance
from handlers.instance import Instance
from handlers.migration import LET_GO, RETAIN, Migration
from handlers.operation import Operation
from handlers.orders import StackAdoption
from handlers.resources import Absent, Seen
from handlers.steps.adopt import AdoptStack
from handlers.steps.let_go import LetGo
from handlers.steps.observe import Observe
from tests.contract.managers.liars import TWINS
from tests.contract.managers.mutants import Broken, Ordered, Plan, Plans, without
from tests.contract.managers.scenarios import Scenario, moves, moves_refused
from tests.contract.managers.stack_mutants import as_worse, each_of


def _broken(**more: Any) -> Broken:
    return Broken(Migration(), **more)


def _both(*plans: Plans) -> Plans:
    """One change after the other."""

    def changed(command: Command, basis: Instance | None, plan: Plan) -> Plan:
        for change in plans:
            plan = change(command, basis, plan)
        return plan

    return changed


def _skipping(key: str) -> Plans:
    """An adoption without this step: what waited for it waits for what it waited for."""

    def shorter(command: Command, basis: Instance | None, plan: Plan) -> Plan:
        gone = {step.key: step.needs for step in plan if step.key == key}
        if not gone or not isinstance(command.body, AdoptInstance):
            return plan
        kept = [step for step in plan if step.key != key]
        return tuple(
            Ordered(step, (step.needs - {key}) | gone[key]) if key in step.needs else step
            for step in kept
        )

    return shorter


class _Unpinned(Broken):
    """Heeds no pin."""

    def plan(self, command: Command, basis: Instance | None) -> Plan:
        return super().plan(command, replace(basis, pinned=False) if basis else None)


class _Forgetful:
    """A cloud that is told to retain nothing of what it adopts."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def adopt_stack(self, told: StackAdoption) -> Answer:
        resources = {
            name: {part: value for part, value in one.items() if part != "deletion_policy"}
            for name, one in told.template["resources"].items()
        }
        return self._cloud.adopt_stack(
            replace(told, template={**told.template, "resources": resources})
        )


class _Unretained(AdoptStack):
    """A stack that deletes what it was made of."""

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        forgetful: Any = _Forgetful(world)
        return super().act(op, seen, forgetful)


class _Lenient(AdoptStack):
    """Does not ask what Heat makes of an adoption."""

    def check(self, op: Operation, seen: Seen) -> Next:
        if isinstance(seen, Absent):
            return super().check(op, seen)
        return Next.WAIT if getattr(seen.matches[0], "is_busy", False) else Next.DONE


class _Blind(Observe):
    """Does not compare what is there with what is recorded."""

    def check(self, op: Operation, seen: Seen) -> Next:
        return Next.WAIT if isinstance(seen, Absent) else Next.DONE


class _Careless(LetGo):
    """Deletes the stack, whatever that takes along."""

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = self._mine(op, seen)
        if stack is None:
            return Next.DONE
        return Next.WAIT if stack.status == "DELETE_IN_PROGRESS" else Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        stack = self._mine(op, seen)
        return world.delete_stack(self.subject, stack.id) if stack else Answer()


def _unchanged(op: Operation, record: Instance | None) -> Instance | None:
    return op.basis if isinstance(op.command.body, AdoptInstance) else record


#: What is wrong -> the manager, and the scenario that must fail.
MOVE_MUTANTS: Mapping[str, tuple[Broken, Scenario]] = {
    "an adopted stack retains nothing": (
        _broken(plan=each_of(AdoptStack, as_worse(_Unretained))),
        moves.a_stack_that_is_deleted_by_mistake_while_it_soaks_takes_nothing_along,
    ),
    "an adoption is never committed": (
        _broken(plan=without(AdoptInstance, "commit")),
        moves.what_natives_made_lives_on_in_a_stack,
    ),
    "an adoption leaves the record as it was": (
        _broken(record=_unchanged),
        moves.what_natives_made_lives_on_in_a_stack,
    ),
    "what differs from its record is adopted": (
        _broken(plan=each_of(Observe, as_worse(_Blind))),
        moves_refused.what_somebody_changed_behind_the_record_is_not_moved,
    ),
    "a pin is not heeded": (
        _Unpinned(Migration()),
        moves_refused.what_is_pinned_stays_where_it_is,
    ),
    "an adoption that ends early leaves its stack": (
        _broken(undo=without(AdoptInstance, "stack")),
        moves_refused.an_adoption_that_an_operator_ends_is_taken_back,
    ),
    "an adoption that ends early keeps the volume": (
        _broken(undo=without(AdoptInstance, "doom")),
        moves_refused.an_adoption_that_an_operator_ends_is_taken_back,
    ),
    "a doomed volume stays doomed in a stack": (
        _broken(plan=without(AdoptInstance, "doom")),
        moves.what_trove_made_gets_its_doomed_volume_back_as_it_was,
    ),
    "a volume is not doomed again": (
        _broken(plan=without(ReleaseInstance, "doom")),
        moves.what_trove_made_gets_its_doomed_volume_back_as_it_was,
    ),
    "a stack is deleted before it retains anything": (
        _broken(plan=_both(each_of(LetGo, as_worse(_Careless)), without(ReleaseInstance, RETAIN))),
        moves.what_has_a_stack_is_released_and_adopted_again,
    ),
    "a release leaves the stack": (
        _broken(plan=without(ReleaseInstance, LET_GO)),
        moves.what_has_a_stack_is_released_and_adopted_again,
    ),
}

#: What is wrong -> the manager, and what Heat does wrong that it does not find out (liars.py).
CREDULOUS: Mapping[str, tuple[Broken, str]] = {
    "nobody asks what the stack holds": (
        _broken(plan=_skipping("members")),
        "mixed up",
    ),
    "nobody asks for a preview": (
        _broken(plan=_skipping("preview")),
        "untrue",
    ),
    "how Heat ended is not asked": (
        _broken(plan=each_of(AdoptStack, as_worse(_Lenient))),
        "lost",
    ),
    "a second set is taken for an adoption": (
        _broken(plan=each_of(AdoptStack, as_worse(_Lenient))),
        TWINS,
    ),
    "a second set stays": (
        _broken(undo=without(AdoptInstance, "twin")),
        TWINS,
    ),
}
