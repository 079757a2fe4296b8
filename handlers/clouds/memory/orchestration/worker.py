"""What the engine does with one resource: make it, bring it to the plan, remove it, check it."""

from collections.abc import Mapping
from typing import Any

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.orchestration.failures import Failed
from handlers.clouds.memory.orchestration.graph import Node, Traversal
from handlers.clouds.memory.orchestration.hot import Definition, resolve
from handlers.clouds.memory.orchestration.kinds import Kinds
from handlers.clouds.memory.orchestration.kinds.base import ResourceKind, Values, read_values
from handlers.clouds.memory.orchestration.natives import Steps
from handlers.clouds.memory.orchestration.plan import Plan, nobody, references
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.things import StackResource

#: How often Heat tries again to make what went to ERROR, and to remove what is in conflict.
RETRIES = 5


class Replace(Exception):
    """The resource cannot be changed in place: a new one is made, the old one removed later."""


class Worker:
    """Each method returns steps that raise Failed, `update` also Replace. The resource's state is
    kept on the way; what they succeed in is remembered in its row."""

    def __init__(self, core: Core, kinds: Kinds) -> None:
        self._core = core
        self._kinds = kinds

    def steps(self, traversal: Traversal, node: Node) -> Steps | None:
        """What a node's turn is; None when there is nothing to do."""
        row, plan = node.row, traversal.plan
        if traversal.stack.action == "CHECK":
            return self._check(row) if node.update else None
        if not node.update:
            return self._removal(traversal, row) if row.revision != plan.revision else None
        definition = plan.template.definitions[row.name]
        if row.action == "INIT":
            return self._creation(traversal, row, definition)
        return self._update(traversal, row, definition)

    def preview(self, plan: Plan, row: StackResource) -> str:
        """What an update would do to a resource, as Heat's preview has it: references are not
        followed, so whatever refers to another resource looks changed (measured)."""
        definition = plan.template.definitions[row.name]
        kind = self._kinds[definition.type]
        if definition.type != row.type:
            return "replaced"
        given = resolve(definition.properties, references(self._kinds, plan, nobody))
        try:
            changed = self._needs(kind, row, definition, read_values(kind, row.name, given))
        except Replace:
            return "replaced"
        return "unchanged" if changed is None else "updated"

    # -- create ---------------------------------------------------------------------------------

    def _creation(self, on: Traversal, row: StackResource, definition: Definition) -> Steps:
        kind = self._kinds[row.type]
        row.created = self._core.time
        row.revision = on.plan.revision
        row.retain = definition.retain
        row.requires = frozenset(on.rows[name] for name in definition.requires)
        if on.adopt is not None:
            yield from self._adopt(on, row, definition)
            return
        row.properties = self._values(on, row, definition)
        failures: list[Failed] = []
        while len(failures) <= RETRIES:
            if failures:
                yield from self._clear(kind, row)
                yield self._pause(len(failures))
            try:
                yield from self._doing(row, "CREATE", kind.create(on.stack, row, row.properties))
                return
            except Failed as failed:
                if not failed.is_passing:
                    raise
                failures.append(failed)
        raise failures[0]

    def _clear(self, kind: ResourceKind, row: StackResource) -> Steps:
        """Remove what failed, before it is made anew."""
        for attempt in range(RETRIES + 1):
            if attempt:
                yield self._pause(attempt)
            try:
                yield from self._doing(row, "DELETE", kind.delete(row))
                return
            except Failed as failed:
                if attempt == RETRIES or not failed.is_passing:
                    raise

    def _adopt(self, on: Traversal, row: StackResource, definition: Definition) -> Steps:
        """Nothing is looked at, neither the id nor the values (measured)."""
        row.properties = self._values(on, row, definition)
        given = (on.adopt or {}).get(row.name)

        def steps() -> Steps:
            if not given:
                raise Failed("Exception", "Resource ID was not provided.")
            row.physical = given
            yield 0

        yield from self._doing(row, "ADOPT", steps())

    # -- update ---------------------------------------------------------------------------------

    def _update(self, on: Traversal, row: StackResource, definition: Definition) -> Steps:
        kind = self._kinds[row.type]
        values = self._values(on, row, definition)
        forbidden = on.plan.forbidden.get(row.name, frozenset())
        try:
            if definition.type != row.type:
                raise Replace
            changed = self._needs(kind, row, definition, values)
        except Replace:
            if "replace" in forbidden:
                text = "replace is restricted for resource."
                raise Failed("ResourceActionRestricted", text) from None
            kind.before_replacement(row)
            raise
        if changed is None:
            self._settle(on, row, definition)
            if row.status == "FAILED":
                text = "Update status to COMPLETE for FAILED resource neither update nor replace."
                self._state(row, row.action, "COMPLETE", text)
            return
        if "update" in forbidden:
            raise Failed("ResourceActionRestricted", "update is restricted for resource.")
        before = row.requires
        self._settle(on, row, definition)
        row.requires |= before
        yield from self._doing(row, "UPDATE", kind.update(on.stack, row, values, changed))
        row.properties = values
        self._settle(on, row, definition)

    def _needs(
        self, kind: ResourceKind, row: StackResource, definition: Definition, values: Values
    ) -> frozenset[str] | None:
        """The properties to change in place; None when there is nothing to do; raises Replace."""
        if row.status == "FAILED" and (row.action == "CHECK" or kind.is_broken(row)):
            raise Replace
        if row.action == "DELETE" and row.status == "COMPLETE":
            raise Replace
        changed = frozenset(key for key, value in values.items() if value != _of(row, key))
        if kind.replaces(changed, values):
            raise Replace
        if any(not kind.schema[key].update for key in changed):
            raise Replace
        return changed if changed or row.retain != definition.retain else None

    def _settle(self, on: Traversal, row: StackResource, definition: Definition) -> None:
        row.revision = on.plan.revision
        row.retain = definition.retain
        row.requires = frozenset(on.rows[name] for name in definition.requires)

    # -- remove, check --------------------------------------------------------------------------

    def _removal(self, on: Traversal, row: StackResource) -> Steps:
        if row.action != "INIT" and (row.action, row.status) != ("DELETE", "COMPLETE"):
            steps = self._kinds[row.type].delete
            keep = row.retain or on.abandon or not row.physical
            for attempt in range(RETRIES + 1):
                if attempt:
                    yield self._pause(attempt)
                try:
                    yield from self._doing(row, "DELETE", _nothing() if keep else steps(row))
                    break
                except Failed as failed:
                    if attempt == RETRIES or not failed.is_conflict:
                        raise
        on.stack.rows.remove(row)
        for other in on.stack.rows:
            if other.replaces is row:
                other.replaces = None

    def _check(self, row: StackResource) -> Steps:
        steps = self._kinds[row.type].check(row)
        if steps is not None and row.action == "INIT":
            raise Failed("Exception", f"Resource {row.name} not created yet.")
        if steps is not None:
            yield from self._doing(row, "CHECK", steps)
        elif row.action != "INIT":
            self._state(row, "CHECK", "COMPLETE", f"CHECK not supported for {row.type}")

    # -- inner ----------------------------------------------------------------------------------

    def _values(self, on: Traversal, row: StackResource, definition: Definition) -> dict[str, Any]:
        function = references(self._kinds, on.plan, on.rows.get)
        given: Mapping[str, Any] = resolve(definition.properties, function)
        try:
            return read_values(self._kinds[definition.type], row.name, given)
        except Refusal as refusal:
            failed = Failed(refusal.code, refusal.message)
            failed.action = "CREATE" if row.action == "INIT" else "UPDATE"
            raise failed from None

    def _doing(self, row: StackResource, action: str, steps: Steps) -> Steps:
        """The steps, with the state of the resource before and after them."""
        self._state(row, action, "IN_PROGRESS")
        try:
            yield from steps
        except Failed as failed:
            failed.action = action
            self._state(row, action, "FAILED", failed.of(row.name))
            raise
        self._state(row, action, "COMPLETE")

    def _state(
        self, row: StackResource, action: str, status: str, reason: str = "state changed"
    ) -> None:
        row.action, row.status, row.reason = action, status, reason
        row.updated = self._core.time

    def _pause(self, attempt: int) -> int:
        return int(self._core.draw(self._core.times.heat_retry) * 2**attempt)


def _nothing() -> Steps:
    yield from ()


def _of(row: StackResource, key: str) -> Any:
    return row.properties.get(key)
