"""MIGRATION with one safety idea taken out: the suite has to notice each of them."""

import dataclasses
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from handlers.base import Answer, Cloud, Next, Step
from handlers.commands import Command
from handlers.instance import Instance
from handlers.migration import Migration
from handlers.natives import Natives
from handlers.operation import Operation
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.orchestrator import Orchestrator
from handlers.resources import Seen
from handlers.steps.adopt import AdoptStack, PreviewStack, SameMembers
from handlers.steps.doom import Doom
from handlers.steps.let_go import LetGo
from handlers.steps.observe import Observe, Unharmed
from handlers.steps.policies import SetPolicies
from handlers.steps.stack_state import stack_of
from handlers.steps.twin import ReadTwin, RemoveTwin
from tests.support.world import Parts

Plan = tuple[Step, ...]

#: What becomes of a step, on the way there and on the way back.
Change = Callable[[Step], Step | None]


class Altered(Migration):
    """Migration whose plans and ways back go through `change`."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self._change = change

    def plan(self, command: Command, basis: Instance | None) -> Plan:
        return self._altered(super().plan(command, basis))

    def undo(self, command: Command, basis: Instance | None) -> Plan:
        return self._altered(super().undo(command, basis))

    def _altered(self, steps: Plan) -> Plan:
        kept = [(step, self._change(step)) for step in steps]
        gone = frozenset(step.key for step, new in kept if new is None)
        return tuple(_needs_no(new, gone) for _, new in kept if new is not None)


class Early(Migration):
    """Writes the record of a failure as if the move had succeeded, once a stack was made."""

    def record(self, op: Operation) -> Instance | None:
        record = super().record(op)
        if record and op.failure and op.fact("stack") and not op.left:
            return replace(record, manager=ORCHESTRATOR)
        return record


def _needs_no(step: Any, gone: frozenset[str]) -> Step:
    changed: Step = dataclasses.replace(step, needs=step.needs - gone)
    return changed if step.needs & gone else step


def without(change: Change) -> Parts:
    """A deployment with such a Migration."""
    return Parts(managers=lambda: (Natives(), Orchestrator(), Altered(change)))


def early() -> Parts:
    return Parts(managers=lambda: (Natives(), Orchestrator(), Early()))


# -- what is taken out ----------------------------------------------------------------------------


class _Careless(LetGo):
    """Deletes the stack, whatever would go with it."""

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        stack = self._mine(op, seen)
        return world.delete_stack(self.subject, stack.id) if stack else Answer()


def unsure(step: Step) -> Step | None:
    """Only the template says that a stack retains everything: what it was brought to may not."""
    if not isinstance(step, LetGo):
        return step
    return dataclasses.replace(step, sure="", needs=frozenset())


def careless(step: Step) -> Step | None:
    """Neither the update is waited for nor the template read."""
    if not isinstance(step, LetGo):
        return step
    return _Careless(**{**_fields(step), "sure": "", "needs": frozenset()})


class _Hopeful(SetPolicies):
    """Takes an update that failed for one that was done."""

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = stack_of(seen)
        if stack and stack.status == "UPDATE_FAILED":
            return Next.DONE
        return super().check(op, seen)


def hopeful(step: Step) -> Step | None:
    return _Hopeful(**_fields(step)) if isinstance(step, SetPolicies) else step


def unintended(step: Step) -> Step | None:
    """Nobody waits for an adoption, a commit or a word to Nova that may still land."""
    if isinstance(step, AdoptStack | SetPolicies | LetGo | Doom):
        return dataclasses.replace(step, unique=False)
    return step


class _Greedy(RemoveTwin):
    """Removes what has the name, also if it is ours."""

    def _one(self, op: Operation) -> str:
        return self.ref.id


def greedy(step: Step) -> Step | None:
    return _Greedy(**_fields(step)) if isinstance(step, RemoveTwin) else step


def forgetful(step: Step) -> Step | None:
    """What a stack made of its own is nobody's business."""
    return None if isinstance(step, ReadTwin | RemoveTwin) else step


def keeping(step: Step) -> Step | None:
    """What Nova was told of the volume is not given back."""
    return None if isinstance(step, Doom) and step.doomed else step


def dooming(step: Step) -> Step | None:
    """A volume that goes with its server is adopted as it is."""
    return None if isinstance(step, Doom) and not step.doomed else step


def unproven(step: Step) -> Step | None:
    """What Heat made of it is not looked at."""
    return None if isinstance(step, SameMembers | PreviewStack) else step


def unobserved(step: Step) -> Step | None:
    """Nobody compares what is there with the record."""
    if isinstance(step, Observe):
        return _Agreeing(**_fields(step))
    return None if isinstance(step, Unharmed) else step


class _Agreeing(Observe):
    def check(self, op: Operation, seen: Seen) -> Next:
        return Next.DONE if op.home else Next.WAIT


def _fields(step: Any) -> dict[str, Any]:
    return {each.name: getattr(step, each.name) for each in dataclasses.fields(step)}
