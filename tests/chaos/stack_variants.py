"""ORCHESTRATOR with one safety idea taken out: the suite has to notice each of them."""

import dataclasses
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from handlers.base import Next, Step
from handlers.commands import Command
from handlers.instance import Instance
from handlers.natives import Natives
from handlers.operation import Operation
from handlers.orchestrator import Orchestrator
from handlers.resources import Kind, Seen, Stack
from handlers.steps.remove import Remove
from handlers.steps.stack_removal import RemoveStack
from handlers.steps.stack_state import stack_of
from handlers.steps.stack_trust import SoundStack
from handlers.steps.stack_undo import OnlyIf, Restore, SettleServer
from handlers.steps.stacks import EnsureStack, UpdateStack
from handlers.template import Document
from tests.support.world import Parts

Plan = tuple[Step, ...]


class Altered(Orchestrator):
    """Orchestrator whose plans and ways back go through `change`."""

    def __init__(self, change: Callable[[Step], Step | None]) -> None:
        super().__init__()
        self._change = change

    def plan(self, command: Command, basis: Instance | None) -> Plan:
        return self._altered(super().plan(command, basis))

    def undo(self, command: Command, basis: Instance | None) -> Plan:
        return self._altered(super().undo(command, basis))

    def _altered(self, steps: Plan) -> Plan:
        kept = [(step, self._changed(step)) for step in steps]
        gone = frozenset(step.key for step, new in kept if new is None)
        return tuple(_without(new, gone) for _, new in kept if new is not None)

    def _changed(self, step: Step) -> Step | None:
        if isinstance(step, OnlyIf):
            inner = self._change(step.step)
            return inner and dataclasses.replace(step, step=inner)
        return self._change(step)


def _without(step: Step, gone: frozenset[str]) -> Step:
    """The step, which no longer needs what is gone."""
    if not step.needs & gone:
        return step
    if isinstance(step, OnlyIf):
        return dataclasses.replace(step, step=_without(step.step, gone))
    bare: Any = step
    changed: Step = dataclasses.replace(bare, needs=step.needs - gone)
    return changed


def without(change: Callable[[Step], Step | None]) -> Parts:
    """A deployment with such an Orchestrator."""
    return Parts(managers=lambda: (Natives(), Altered(change)))


# -- what is taken out ----------------------------------------------------------------------------


class _Hurried(UpdateStack):
    """Does not ask whether Heat is at work."""

    def check(self, op: Operation, seen: Seen) -> Next:
        return super().check(op, _at_rest(seen))


class _HurriedRestore(Restore):
    def check(self, op: Operation, seen: Seen) -> Next:
        return super().check(op, _at_rest(seen))


def _at_rest(seen: Seen) -> Seen:
    stack = stack_of(seen)
    if stack is None or not stack.is_busy:
        return seen
    return replace(seen, matches=(replace(stack, status="UPDATE_COMPLETE"),))


def hurried(step: Step) -> Step | None:
    """A stack is updated whatever Heat is doing with it."""
    if isinstance(step, SoundStack):
        return None
    if isinstance(step, UpdateStack):
        return _Hurried(**_fields(step))
    return _HurriedRestore(**_fields(step)) if isinstance(step, Restore) else step


def unintended(step: Step) -> Step:
    """No intent is saved before a stack is written."""
    if isinstance(step, EnsureStack | UpdateStack | Restore | RemoveStack):
        return dataclasses.replace(step, unique=False)
    return step


class _Believing(UpdateStack):
    """Takes COMPLETE for its own doing."""

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = stack_of(seen)
        if stack and op.touched(self.key) and stack.status.endswith("_COMPLETE"):
            return Next.DONE
        return super().check(op, seen)


def believing(step: Step) -> Step:
    """What is COMPLETE was completed by us, whatever the tags say."""
    return _Believing(**_fields(step)) if isinstance(step, UpdateStack) else step


def unsettled(step: Step) -> Step | None:
    """A stack is put back whatever state its server is in."""
    return None if isinstance(step, SettleServer) else step


class _Taking(RemoveStack):
    """Takes what has the name."""

    def _may_take(self, op: Operation, stack: Stack) -> bool:
        return not self.rest_of


def taking(step: Step) -> Step:
    """A stack of our name is ours."""
    return _Taking(**_fields(step)) if isinstance(step, RemoveStack) else step


def unprotected(step: Step) -> Step:
    """Heat may replace a server, a port, a volume."""
    return _rewritten(step, lambda document: replace(document, environment={}))


def unretained(step: Step) -> Step:
    """Heat deletes the volume with its stack."""
    return _rewritten(step, _unretained)


def _unretained(document: Document) -> Document:
    kept = ("type", "properties")
    resources = {
        name: {key: each[key] for key in kept}
        for name, each in document.template["resources"].items()
    }
    return replace(document, template={**document.template, "resources": resources})


def abandoning(step: Step) -> Step | None:
    """What the stack retains is nobody's business."""
    return None if isinstance(step, Remove) and step.kind is Kind.VOLUME else step


def trusting(step: Step) -> Step | None:
    """What Heat lost sight of is not looked for."""
    return None if isinstance(step, Remove) and step.maker else step


def _rewritten(step: Step, change: Callable[[Document], Document]) -> Step:
    if not isinstance(step, EnsureStack):
        return step
    document = step.document
    return dataclasses.replace(step, document=lambda: change(document()))


def _fields(step: Any) -> dict[str, Any]:
    return {each.name: getattr(step, each.name) for each in dataclasses.fields(step)}
