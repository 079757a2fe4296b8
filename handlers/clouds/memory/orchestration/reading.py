"""What the orchestration API tells of stacks."""

from collections.abc import Callable
from typing import Any

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.orchestration.engine import Engine
from handlers.clouds.memory.orchestration.hot import resolve
from handlers.clouds.memory.orchestration.kinds import Kinds
from handlers.clouds.memory.orchestration.parameters import shown
from handlers.clouds.memory.orchestration.plan import references
from handlers.clouds.memory.orchestration.refusals import not_found
from handlers.clouds.memory.orchestration.specs import StackFilters
from handlers.clouds.memory.things import StackResource, StackThing


class Reading:
    """Look-ups; nothing is changed."""

    def __init__(self, core: Core, kinds: Kinds, engine: Engine) -> None:
        self._core = core
        self._kinds = kinds
        self._engine = engine

    def stack(self, project: str, name: str, stack_id: str) -> StackThing:
        """One that is there, for a call that does something with it; 404 otherwise."""
        stack = self._core.stacks.get(stack_id)
        if stack is None or stack.project != project or stack.name != name or _is_gone(stack):
            raise not_found(name)
        return stack

    def show(self, project: str, name_or_id: str) -> StackThing:
        """By name or by id; by id also one that was deleted."""
        stack = self._core.stacks.get(name_or_id) or self._engine.gone.get(name_or_id)
        if stack is not None and stack.project == project:
            return stack
        for one in self._core.stacks.values():
            if one.name == name_or_id and one.project == project:
                return one
        raise not_found(name_or_id)

    def list(self, project: str, filters: StackFilters) -> tuple[StackThing, ...]:
        """Newest first. What is asked for by its id is there at once, as everywhere."""
        tests = _tests(filters)
        now = self._core.time
        return tuple(
            one
            for one in reversed(self._core.stacks.values())
            if one.project == project
            and (one.visible <= now or one.id in filters.ids)
            and all(test(one) for test in tests)
        )

    def outputs(self, stack: StackThing) -> tuple[dict[str, Any], ...]:
        plan = self._engine.plans.get(stack.id)
        if plan is None:
            return ()
        rows: dict[str, StackResource] = stack.resources
        function = references(self._kinds, plan, rows.get)
        return tuple(
            {
                "output_key": name,
                "output_value": resolve(each.get("value"), function),
                "description": str(each.get("description", "No description given")),
            }
            for name, each in plan.template.outputs.items()
        )

    def parameters(self, stack: StackThing) -> dict[str, str]:
        """With those that every stack has."""
        own = {
            "OS::project_id": stack.project,
            "OS::stack_id": f"arn:openstack:heat::{stack.project}:stacks/{stack.name}/{stack.id}",
            "OS::stack_name": stack.name,
        }
        plan = self._engine.plans.get(stack.id)
        return {**own, **(shown(plan.template.parameters, plan.values) if plan else {})}

    def exported(self, stack: StackThing) -> dict[str, Any]:
        """What an abandoned stack leaves: an adoption takes it as it is."""
        registry = stack.environment.get("resource_registry") or {}
        return {
            "name": stack.name,
            "id": stack.id,
            "action": stack.action,
            "status": stack.status,
            "environment": {
                "parameters": dict(stack.parameters),
                "resource_registry": {"resources": {}, **registry},
                "parameter_defaults": stack.environment.get("parameter_defaults") or {},
                "event_sinks": [],
            },
            "files": {},
            "template": stack.template,
            "resources": {
                row.name: {
                    "name": row.name,
                    "resource_id": row.physical or None,
                    "type": row.type,
                    "action": row.action,
                    "status": row.status,
                    "metadata": {},
                    "resource_data": {},
                }
                for row in stack.resources.values()
            },
            "project_id": stack.project,
            "tags": list(stack.tags),
        }


def _is_gone(stack: StackThing) -> bool:
    return (stack.action, stack.status) == ("DELETE", "COMPLETE")


def _tests(filters: StackFilters) -> list[Callable[[StackThing], bool]]:
    """One test for each filter that is given."""
    given: list[tuple[frozenset[str], Callable[[StackThing], bool]]] = [
        (filters.ids, lambda one: one.id in filters.ids),
        (filters.names, lambda one: one.name in filters.names),
        (filters.statuses, lambda one: one.status in filters.statuses),
        (filters.actions, lambda one: one.action in filters.actions),
        (filters.tags, lambda one: filters.tags <= set(one.tags)),
        (filters.tags_any, lambda one: not filters.tags_any.isdisjoint(one.tags)),
        (filters.not_tags, lambda one: not filters.not_tags <= set(one.tags)),
        (filters.not_tags_any, lambda one: filters.not_tags_any.isdisjoint(one.tags)),
    ]
    return [test for values, test in given if values]
