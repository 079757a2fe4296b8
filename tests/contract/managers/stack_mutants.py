"""Broken managers of stacks: each does one thing wrong that the suite must see."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import msgspec

from handlers.base import Next, Step
from handlers.commands import Command, CreateInstance, DeleteInstance, ResizeInstance, ResizeVolume
from handlers.instance import Instance
from handlers.operation import Facts, Operation
from handlers.orchestrator import Orchestrator
from handlers.resources import Seen
from handlers.steps.stack_state import stack_of
from handlers.steps.stack_verdict import Resized
from handlers.steps.stacks import EnsureStack, UpdateStack
from handlers.template import Document
from tests.contract.managers.mutants import Broken, Plan, Plans, without
from tests.contract.managers.scenarios import (
    Scenario,
    create,
    delete,
    failures,
    flavors,
    stacks,
    volumes,
)

S = TypeVar("S", bound=Step)


def _broken(**more: Any) -> Broken:
    return Broken(Orchestrator(), **more)


def each_of(kind: type[S], change: Callable[[S], Step]) -> Plans:
    """Steps of this kind are others."""

    def plan(command: Command, basis: Instance | None, plan: Plan) -> Plan:
        return tuple(change(step) if isinstance(step, kind) else step for step in plan)

    return plan


def as_worse(worse: type[Any], **more: Any) -> Callable[[Any], Step]:
    """The same step, of a worse class."""

    def change(step: Any) -> Step:
        kept = {field.name: getattr(step, field.name) for field in fields(step)}
        made: Step = worse(**{**kept, **more})
        return made

    return change


def _templates(change: Callable[[Document], Document]) -> Plans:
    """Stacks are made of something else."""
    return each_of(
        EnsureStack, lambda step: replace(step, document=lambda: change(step.document()))
    )


def _unrestricted(document: Document) -> Document:
    return msgspec.structs.replace(document, environment={})


def _not_retained(document: Document) -> Document:
    template = document.template
    resources = {
        name: {key: value for key, value in one.items() if key != "deletion_policy"}
        for name, one in template["resources"].items()
    }
    return msgspec.structs.replace(document, template={**template, "resources": resources})


def _both_at_once(step: UpdateStack) -> UpdateStack:
    """Flavor and size change in one update."""
    return replace(step, parameters={**step.parameters, "volume_size": 2})


class _Greedy(EnsureStack):
    """Takes any stack of the name for its own."""

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = stack_of(seen)
        if stack is None:
            return Next.ACT
        return Next.WAIT if stack.is_busy else Next.DONE

    def learn(self, op: Operation, seen: Seen) -> Facts:
        stack = stack_of(seen)
        return {"id": stack.id} if stack else {}


class _Credulous(Resized):
    """Believes that Heat did what it was told."""

    def check(self, op: Operation, seen: Seen) -> Next:
        return Next.DONE


#: What is wrong -> the manager, and the scenario that must fail.
STACK_MUTANTS: dict[str, tuple[Broken, Scenario]] = {
    "a stack may replace what it owns": (
        _broken(plan=_templates(_unrestricted)),
        stacks.an_update_that_would_replace_something_fails_and_harms_nothing,
    ),
    "the volume goes with the stack": (
        _broken(plan=_templates(_not_retained)),
        stacks.a_stack_that_somebody_deleted_takes_no_data_along,
    ),
    "flavor and size change in one update": (
        _broken(plan=each_of(UpdateStack, _both_at_once)),
        flavors.a_server_is_resized_up_and_down_in_place,
    ),
    "what Heat says of a resize is believed": (
        _broken(plan=each_of(Resized, as_worse(_Credulous))),
        flavors.a_resize_that_fails_on_the_host_is_set_back,
    ),
    "a failed resize leaves the stack as it is": (
        _broken(undo=without(ResizeInstance, "restore")),
        flavors.a_resize_that_fails_on_the_host_is_set_back,
    ),
    "a failed resize leaves the server in error": (
        _broken(undo=without(ResizeInstance, "settle")),
        flavors.a_resize_that_fails_on_the_host_is_set_back,
    ),
    "drift of the flavor is not looked for": (
        _broken(plan=without(ResizeInstance, "align", "aligned", "runs")),
        stacks.a_flavor_that_somebody_changed_ends_as_the_command_says,
    ),
    "Heat is not told of a size": (
        _broken(plan=without(ResizeVolume, "update", "update-size")),
        volumes.a_volume_grows_in_use_and_never_shrinks,
    ),
    "a volume is left to Heat to grow": (
        _broken(plan=without(ResizeVolume, "extend")),
        volumes.an_extension_that_fails_in_cinder_is_set_back,
    ),
    "a stack of the name is taken, whoever made it": (
        _broken(plan=each_of(EnsureStack, as_worse(_Greedy))),
        stacks.a_stack_name_that_is_taken_is_refused_and_left_alone,
    ),
    "nobody asks Heat what it made": (
        _broken(plan=without(CreateInstance, "members", "rules", "verify")),
        create.an_instance_has_everything_that_was_asked_for,
    ),
    "an undo forgets the stack": (
        _broken(undo=without(CreateInstance, "stack", "stack-rest")),
        failures.a_server_that_goes_to_error_is_undone,
    ),
    "an undo forgets what the stack retains": (
        _broken(undo=without(CreateInstance, "volume")),
        failures.a_server_that_goes_to_error_is_undone,
    ),
    "a deletion forgets the stack": (
        _broken(plan=without(DeleteInstance, "stack", "stack-rest")),
        delete.deleting_twice_ends_well_twice,
    ),
    "a deletion forgets what the stack retains": (
        _broken(plan=without(DeleteInstance, "volumes")),
        delete.deleting_twice_ends_well_twice,
    ),
}
