"""The orchestration calls of the Cloud protocol on the in-memory cloud."""

from collections.abc import Callable, Mapping
from typing import Any

from handlers import lacks
from handlers.base import Answer
from handlers.clouds.memory.asking import Asking, gone, made
from handlers.clouds.memory.attachments import DOOMING
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.orchestration import StackChange, StackFilters, StackSpec
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.things import StackThing
from handlers.clouds.memory.views import stack_of
from handlers.identity import STACK, resource_name, stack_tags
from handlers.lacks import Lacks
from handlers.orders import NewStack, StackAdoption, StackUpdate
from handlers.resources import Service, Stack


class Stacks:
    """A subject's stack: its name is made from the subject."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._heat = asking.state.orchestration

    def in_full(self, name: str, one: str) -> Stack | None:
        """With its outputs. A deleted stack is none, although Heat still tells of it by id."""

        def look(doing: Doing) -> Stack | None:
            try:
                stack = self._heat.show(self._asking.project, one)
            except Refusal as refusal:
                if refusal.status != 404:
                    raise
                return None
            if stack.name != name or (stack.action, stack.status) == ("DELETE", "COMPLETE"):
                return None
            told = {each["output_key"]: each["output_value"] for each in self._heat.outputs(stack)}
            return stack_of(stack, told)

        return self._asking.call(Service.ORCHESTRATION, "get_stack_in_full", look)

    def create(self, new: NewStack) -> Answer:
        spec = StackSpec(
            name=resource_name(new.subject),
            template=new.template,
            environment=new.environment,
            parameters=new.parameters,
            tags=stack_tags(new.subject, new.write),
            timeout_mins=new.minutes,
        )

        def effect(doing: Doing) -> Answer:
            return made(doing, self._heat.create(doing, self._asking.project, spec))

        return self._asking.call(Service.ORCHESTRATION, "create_stack", effect, new.subject, STACK)

    def adopt(self, new: StackAdoption) -> Answer:
        """The engine takes template and ids from the data, the environment from the request."""
        data = {
            "template": new.template,
            "environment": {"parameters": new.parameters},
            "resources": {name: {"resource_id": one} for name, one in new.members.items()},
        }
        spec = StackSpec(
            name=resource_name(new.subject),
            template=new.template,
            environment=new.environment,
            adopt=data,
            tags=stack_tags(new.subject, new.write),
            timeout_mins=new.minutes,
        )

        def effect(doing: Doing) -> Answer:
            return made(doing, self._heat.create(doing, self._asking.project, spec))

        return self._asking.call(Service.ORCHESTRATION, "adopt_stack", effect, new.subject, STACK)

    def check(self, subject: str, stack: str) -> Answer:
        return self._do(
            "check_stack",
            subject,
            lambda doing: self._heat.check(doing, *self._of(subject, stack)),
        )

    def preview(self, change: StackUpdate) -> Answer:
        def effect(doing: Doing) -> Answer:
            at = self._of(change.subject, change.stack)
            found = self._heat.preview_update(doing, *at, _wanted(change))
            return Answer(
                facts={name: sorted(some) for name, some in found.items()},
                request_id=doing.request_id,
            )

        return self._asking.call(
            Service.ORCHESTRATION, "preview_stack", effect, change.subject, STACK
        )

    def template(self, subject: str, stack: str) -> Mapping[str, Any] | None:
        found = self._look("template", subject, stack)
        return None if found is None else found.template

    def members(self, subject: str, stack: str) -> Mapping[str, str]:
        found = self._look("resources", subject, stack)
        rows = () if found is None else self._heat.resources(found)
        return {row.name: row.physical for row in rows}

    def lacks(self) -> tuple[Lacks, ...]:
        """Adoption, and room for one more stack."""

        def look(doing: Doing) -> tuple[Lacks, ...]:
            core = self._asking.state.core
            limit = core.quota(self._asking.project).stacks
            used = len(self._heat.list(self._asking.project, StackFilters()))
            checked = (
                (core.abilities.adoption, lacks.ADOPTION),
                (not core.abilities.twins, lacks.TWINS),
                (limit < 0 or used < limit, lacks.ROOM),
                (core.abilities.compute >= DOOMING, lacks.DOOMING),
            )
            return tuple(lack for there, lack in checked if not there)

        return self._asking.call(Service.ORCHESTRATION, "get_lacks", look)

    def update(self, change: StackUpdate) -> Answer:
        wanted = _wanted(change)
        return self._do(
            "update_stack",
            change.subject,
            lambda doing: self._heat.update(doing, *self._of(change.subject, change.stack), wanted),
        )

    def cancel_update(self, subject: str, stack: str) -> Answer:
        return self._do(
            "cancel_stack_update",
            subject,
            lambda doing: self._heat.cancel(doing, *self._of(subject, stack), rollback=False),
        )

    def delete(self, subject: str, stack: str) -> Answer:
        return self._do(
            "delete_stack",
            subject,
            lambda doing: gone(
                lambda again: self._heat.delete(again, *self._of(subject, stack)), doing
            ),
        )

    def _look(self, part: str, subject: str, stack: str) -> StackThing | None:
        """The stack, for what Heat tells of a part of it; None when it is not there."""

        def look(doing: Doing) -> StackThing | None:
            try:
                found = self._heat.show(self._asking.project, stack)
            except Refusal as refusal:
                if refusal.status != 404:
                    raise
                return None
            gone = (found.action, found.status) == ("DELETE", "COMPLETE")
            return None if gone or found.name != resource_name(subject) else found

        return self._asking.call(Service.ORCHESTRATION, f"get_stack_{part}", look, subject, STACK)

    def _of(self, subject: str, stack: str) -> tuple[str, str, str]:
        return self._asking.project, resource_name(subject), stack

    def _do(self, verb: str, subject: str, effect: Callable[[Doing], object]) -> Answer:
        def answered(doing: Doing) -> Answer:
            effect(doing)
            return Answer(request_id=doing.request_id)

        return self._asking.call(Service.ORCHESTRATION, verb, answered, subject, STACK)


def _wanted(change: StackUpdate) -> StackChange:
    """A PATCH: what is not named stays as it is."""
    return StackChange(
        existing=True,
        template=change.template,
        parameters=change.parameters,
        tags=stack_tags(change.subject, change.write),
        timeout_mins=change.minutes,
        disable_rollback=True,
    )
