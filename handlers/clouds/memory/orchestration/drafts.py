"""What a request makes of documents and old values: a new stack, or the plan of an update.

Refusals are Heat's own: 400 NotSupported, StackValidationFailed, RequestLimitExceeded and those of
`plan_of`; 409 StackExists.
"""

import re
from typing import Any

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.orchestration.engine import Engine
from handlers.clouds.memory.orchestration.kinds import Kinds
from handlers.clouds.memory.orchestration.plan import Plan, plan_of
from handlers.clouds.memory.orchestration.refusals import (
    exists,
    invalid,
    refused,
    too_many,
    unsupported,
)
from handlers.clouds.memory.orchestration.specs import Document, StackChange, StackSpec
from handlers.clouds.memory.things import StackThing
from handlers.identity import STACK, server_tag, subject_of

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,254}")


class Drafts:
    """Reads requests; nothing is kept. Call it with the state's lock held."""

    def __init__(self, core: Core, kinds: Kinds, engine: Engine) -> None:
        self._core = core
        self._kinds = kinds
        self._engine = engine

    def stack(self, project: str, spec: StackSpec) -> tuple[StackThing, Plan]:
        """A new stack that nothing was begun with, and what it shall become."""
        core = self._core
        if spec.adopt is not None and not core.abilities.adoption:
            raise unsupported("Stack Adopt")
        if not _NAME.fullmatch(spec.name):
            raise invalid(
                f'Invalid stack name {spec.name} must contain only alphanumeric or "_-." '
                "characters, must start with alpha and must be 255 characters or less."
            )
        mine = [one for one in core.stacks.values() if one.project == project]
        if any(one.name == spec.name for one in mine):
            raise exists(spec.name)
        limit = core.quota(project).stacks
        if 0 <= limit <= len(mine):
            raise too_many(limit)
        template, environment = spec.template, spec.environment
        given = dict(spec.parameters)
        if spec.adopt is not None:
            template = spec.adopt.get("template") or {}
            kept = (spec.adopt.get("environment") or {}).get("parameters") or {}
            given = {**kept, **(environment.get("parameters") or {}), **given}
        plan = plan_of(self._kinds, template, environment, given, next(self._engine.revisions))
        stack = StackThing(
            id=core.new_id(),
            project=project,
            name=spec.name,
            disable_rollback=spec.disable_rollback,
            timeout_mins=spec.timeout_mins,
            template=plan.document,
            environment=plan.environment,
            parameters=plan.given,
        )
        tag(stack, spec.tags)
        return stack, plan

    def plan(self, stack: StackThing, change: StackChange) -> Plan:
        """What an update shall make of a stack."""
        if stack.action == "DELETE":
            raise unsupported("Updating a stack when it is deleting")
        template, environment, given = change.template, change.environment, change.parameters
        if change.existing:
            template = template or stack.template
            cleared = set(change.clear_parameters)
            kept = {key: each for key, each in stack.parameters.items() if key not in cleared}
            given = {**kept, **(environment.get("parameters") or {}), **given}
            environment = _over(stack.environment, environment)
        elif template is None:
            raise refused("HTTPBadRequest", "No template specified")
        revision = next(self._engine.revisions)
        return plan_of(self._kinds, template, environment, given, revision, drop=change.existing)


def tag(stack: StackThing, tags: tuple[str, ...]) -> None:
    """Whose a stack is stands in its name and in its tags; only the tag says that it is ours."""
    stack.tags = tags
    stack.subject = subject_of(stack.name, tags)
    ours = stack.subject is not None and server_tag(stack.subject) in tags
    stack.role = STACK if ours else None


def adopted(data: Document) -> dict[str, str]:
    """The cloud ids by resource name; empty for one that is not told."""
    resources = data.get("resources") or {}
    return {name: (each or {}).get("resource_id") or "" for name, each in resources.items()}


def _over(old: Document, new: Document) -> dict[str, Any]:
    """An environment laid over another one; the parameters stand elsewhere."""
    before, after = old.get("resource_registry") or {}, new.get("resource_registry") or {}
    registry = {**before, **after}
    registry["resources"] = {**(before.get("resources") or {}), **(after.get("resources") or {})}
    defaults = {**(old.get("parameter_defaults") or {}), **(new.get("parameter_defaults") or {})}
    return {"resource_registry": registry, "parameter_defaults": defaults}
