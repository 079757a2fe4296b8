"""The orchestration API: what a call is checked for before the engine begins.

Every method is called through the gate, with the state's lock held. Refusals are Heat's own:
404 EntityNotFound, 409 StackExists, 400 StackValidationFailed, UserParameterMissing,
UnknownUserParameter, RequestLimitExceeded (too many stacks), NotSupported.
While no engine is up every call is Lost.
"""

from typing import Any, Protocol

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.orchestration.specs import StackChange, StackFilters, StackSpec
from handlers.clouds.memory.things import StackResource, StackThing


class Orchestration(Protocol):
    """Heat's behaviour. The names of the interface; the simulator is written on top of them."""

    def create(self, doing: Doing, project: str, spec: StackSpec) -> StackThing:
        """Also an adoption (`spec.adopt`). Refusals: 409 for a name that is taken, 400."""
        ...

    def preview(self, doing: Doing, project: str, spec: StackSpec) -> StackThing:
        """The stack that `create` would make; it is kept nowhere."""
        ...

    def update(
        self, doing: Doing, project: str, name: str, stack_id: str, change: StackChange
    ) -> StackThing: ...

    def preview_update(
        self, doing: Doing, project: str, name: str, stack_id: str, change: StackChange
    ) -> dict[str, list[str]]:
        """Names of resources under unchanged, updated, replaced, added, deleted."""
        ...

    def check(self, doing: Doing, project: str, name: str, stack_id: str) -> None: ...

    def cancel(
        self, doing: Doing, project: str, name: str, stack_id: str, *, rollback: bool
    ) -> None:
        """400 NotSupported unless an update (without rollback: or a create) is under way."""
        ...

    def delete(self, doing: Doing, project: str, name: str, stack_id: str) -> None: ...

    def abandon(self, doing: Doing, project: str, name: str, stack_id: str) -> dict[str, Any]:
        """Let go of the stack, not of what is in it; answers with what `adopt` takes."""
        ...

    def show(self, project: str, name_or_id: str) -> StackThing:
        """By id also one that was deleted. 404 EntityNotFound."""
        ...

    def list(self, project: str, filters: StackFilters) -> list[StackThing]:
        """Those of the project, newest first; without deleted ones."""
        ...

    def outputs(self, stack: StackThing) -> list[dict[str, Any]]:
        """`{output_key, output_value, description}` each, as things are now: also while the stack
        is in progress. Empty for a deleted stack."""
        ...

    def resources(self, stack: StackThing) -> list[StackResource]: ...

    def required_by(self, stack: StackThing, row: StackResource) -> list[str]: ...

    def kill_engine(self) -> None:
        """The engine dies: what it was doing stays IN_PROGRESS for good, and every call is Lost."""
        ...

    def start_engine(self) -> None:
        """A new engine: calls of the last two minutes that nobody has answered land now."""
        ...
