"""The orchestration calls of the Cloud protocol on the in-memory cloud."""

from collections.abc import Callable

from handlers.base import Answer, NewStack, StackUpdate
from handlers.clouds.memory.asking import Asking, gone, made
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.orchestration import StackChange, StackSpec
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.views import stack_of
from handlers.identity import STACK, resource_name, stack_tags
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

    def update(self, change: StackUpdate) -> Answer:
        """A PATCH: what is not named stays as it is."""
        wanted = StackChange(
            existing=True,
            parameters=change.parameters,
            tags=stack_tags(change.subject, change.write),
            timeout_mins=change.minutes,
            disable_rollback=True,
        )
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

    def _of(self, subject: str, stack: str) -> tuple[str, str, str]:
        return self._asking.project, resource_name(subject), stack

    def _do(self, verb: str, subject: str, effect: Callable[[Doing], object]) -> Answer:
        def answered(doing: Doing) -> Answer:
            effect(doing)
            return Answer(request_id=doing.request_id)

        return self._asking.call(Service.ORCHESTRATION, verb, answered, subject, STACK)
