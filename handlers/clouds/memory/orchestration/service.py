"""The orchestration API: what a call is checked for before the engine begins.

Every method is called through the gate, with the state's lock held. Refusals are Heat's own:
404 EntityNotFound, 409 StackExists, 400 StackValidationFailed, UserParameterMissing,
UnknownUserParameter, RequestLimitExceeded (too many stacks), NotSupported.
While no engine is up every call is Lost.
"""

from collections.abc import Callable
from typing import Any

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.orchestration.drafts import Drafts, adopted, tag
from handlers.clouds.memory.orchestration.engine import Engine
from handlers.clouds.memory.orchestration.graph import Traversal, best
from handlers.clouds.memory.orchestration.kinds import Kinds
from handlers.clouds.memory.orchestration.plan import emptied
from handlers.clouds.memory.orchestration.reading import Reading
from handlers.clouds.memory.orchestration.refusals import unsupported
from handlers.clouds.memory.orchestration.specs import StackChange, StackFilters, StackSpec
from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.clouds.memory.things import Micros, StackResource, StackThing
from handlers.resources import Service

#: How long a call waits in the queue for an engine (Heat's rpc_response_timeout), whether or not
#: the caller still waits for the answer.
_QUEUED: Micros = 60_000_000


class Orchestration:
    """Heat's behaviour."""

    def __init__(self, core: Core, kinds: Kinds) -> None:
        self._core = core
        self._kinds = kinds
        self._engine = Engine(core, kinds)
        self._drafts = Drafts(core, kinds, self._engine)
        self._reading = Reading(core, kinds, self._engine)
        self._is_up = True
        self._unheard: list[tuple[Micros, Callable[[], object]]] = []

    # -- make, change, remove -------------------------------------------------------------------

    def create(self, doing: Doing, project: str, spec: StackSpec) -> StackThing:
        """Also an adoption (`spec.adopt`). Refusals: 409 for a name that is taken, 400.

        A Heat that loses the data of an adoption makes everything anew (`Abilities.twins`)."""
        self._must_be_up(lambda: self.create(doing, project, spec))
        stack, plan = self._drafts.stack(project, spec)
        self._core.stacks[stack.id] = stack
        self._core.born(stack, doing)
        lost = spec.adopt is None or self._core.abilities.twins
        adopt = None if lost else adopted(spec.adopt or {})
        action = "CREATE" if adopt is None else "ADOPT"
        self._engine.begin(Traversal(stack, plan, adopt), action, doing)
        return stack

    def preview(self, doing: Doing, project: str, spec: StackSpec) -> StackThing:
        """The stack that `create` would make; it is kept nowhere."""
        self._must_be_up()
        stack, plan = self._drafts.stack(project, spec)
        Traversal(stack, plan)
        return stack

    def update(
        self, doing: Doing, project: str, name: str, stack_id: str, change: StackChange
    ) -> StackThing:
        """What is under way is superseded: it goes on, and the stack is looked at anew after it."""
        self._must_be_up(lambda: self.update(doing, project, name, stack_id, change))
        stack = self._reading.stack(project, name, stack_id)
        plan = self._drafts.plan(stack, change)
        if change.tags is not None or not change.existing:
            tag(stack, change.tags or ())
        if change.disable_rollback is not None:
            stack.disable_rollback = change.disable_rollback
        if change.timeout_mins is not None:
            stack.timeout_mins = change.timeout_mins
        stack.template, stack.environment = plan.document, plan.environment
        stack.parameters = plan.given
        self._engine.begin(Traversal(stack, plan), "UPDATE", doing)
        return stack

    def preview_update(
        self, doing: Doing, project: str, name: str, stack_id: str, change: StackChange
    ) -> dict[str, list[str]]:
        """Names of resources under unchanged, updated, replaced, added, deleted.

        Pessimistic as Heat's own: references are not followed, so that a property that refers to
        another resource looks changed.
        """
        self._must_be_up()
        stack = self._reading.stack(project, name, stack_id)
        plan = self._drafts.plan(stack, change)
        found: dict[str, list[str]] = {
            key: [] for key in ("unchanged", "updated", "replaced", "added", "deleted")
        }
        for one in plan.template.definitions:
            row = best(stack, plan, one)
            verdict = "added" if row is None else self._engine.worker.preview(plan, row)
            found[verdict].append(one)
        found["deleted"] = [one for one in stack.resources if one not in plan.template.definitions]
        return found

    def check(self, doing: Doing, project: str, name: str, stack_id: str) -> None:
        """Servers and volumes are looked at; of the others Heat says that it cannot."""
        self._must_be_up(lambda: self.check(doing, project, name, stack_id))
        stack = self._reading.stack(project, name, stack_id)
        plan = self._engine.plans[stack.id]
        self._engine.begin(Traversal(stack, plan), "CHECK", doing)

    def cancel(
        self, doing: Doing, project: str, name: str, stack_id: str, *, rollback: bool
    ) -> None:
        """400 NotSupported unless an update (without rollback: or a create) is under way."""
        self._must_be_up(lambda: self.cancel(doing, project, name, stack_id, rollback=rollback))
        stack = self._reading.stack(project, name, stack_id)
        allowed = ("UPDATE",) if rollback else ("UPDATE", "CREATE")
        if stack.status != "IN_PROGRESS" or stack.action not in allowed:
            state = f"{stack.action}_{stack.status}"
            raise unsupported(f"Cancelling update when stack is {state}")
        if rollback:
            self._engine.roll_back(stack)
        else:
            self._engine.cancel(stack)

    def delete(self, doing: Doing, project: str, name: str, stack_id: str) -> None:
        """In any state; what is under way is stopped first."""
        self._must_be_up(lambda: self.delete(doing, project, name, stack_id))
        self._remove(doing, self._reading.stack(project, name, stack_id), abandon=False)

    def abandon(self, doing: Doing, project: str, name: str, stack_id: str) -> dict[str, Any]:
        """Let go of the stack, not of what is in it; answers with what `adopt` takes."""
        self._must_be_up(lambda: self.abandon(doing, project, name, stack_id))
        stack = self._reading.stack(project, name, stack_id)
        told = self._reading.exported(stack)
        self._remove(doing, stack, abandon=True)
        return told

    # -- look -----------------------------------------------------------------------------------

    def show(self, project: str, name_or_id: str) -> StackThing:
        """By id also one that was deleted. 404 EntityNotFound."""
        self._must_be_up()
        return self._reading.show(project, name_or_id)

    def list(self, project: str, filters: StackFilters) -> tuple[StackThing, ...]:
        """Those of the project, newest first; without deleted ones."""
        self._must_be_up()
        return self._reading.list(project, filters)

    def outputs(self, stack: StackThing) -> tuple[dict[str, Any], ...]:
        """`{output_key, output_value, description}` each, as things are now: also while the stack
        is in progress, when a resource that is not there yet is named by its name in the template,
        or by nothing if it is Neutron's. Empty for a deleted stack."""
        return self._reading.outputs(stack)

    def parameters(self, stack: StackThing) -> dict[str, str]:
        """Every parameter as Heat shows it: as text, hidden ones as asterisks."""
        return self._reading.parameters(stack)

    def resources(self, stack: StackThing) -> tuple[StackResource, ...]:
        """The resources of the stack, one of each name."""
        return tuple(stack.resources.values())

    def required_by(self, stack: StackThing, row: StackResource) -> tuple[str, ...]:
        """Names of the resources that need this one."""
        return tuple(each.name for each in stack.rows if row in each.requires)

    # -- the engine itself ----------------------------------------------------------------------

    def kill_engine(self) -> None:
        """The engine dies: what it was doing stays IN_PROGRESS for good, and every call is Lost."""
        with self._core.lock:
            self._core.advance()
            self._is_up = False
            self._engine.die()

    def start_engine(self) -> None:
        """A new engine: calls of the last minute, which nobody answered, land now."""
        with self._core.lock:
            self._core.advance()
            self._is_up = True
            waiting, self._unheard = self._unheard, []
            for until, land in waiting:
                if until > self._core.time:
                    _land(land)

    def _must_be_up(self, land: Callable[[], object] | None = None) -> None:
        if self._is_up:
            return
        silence = self._core.draw(self._core.times.heat_silence)
        if land is not None:
            self._unheard.append((self._core.time + _QUEUED, land))
        raise Lost(Service.ORCHESTRATION, seconds=silence / 1_000_000)

    # -- inner ----------------------------------------------------------------------------------

    def _remove(self, doing: Doing, stack: StackThing, *, abandon: bool) -> None:
        wait = self._engine.stop(stack)
        plan = emptied(self._engine.plans[stack.id], next(self._engine.revisions))
        self._engine.begin(Traversal(stack, plan, abandon=abandon), "DELETE", doing, wait)


def _land(call: Callable[[], object]) -> None:
    try:
        call()
    except Refusal:
        return
