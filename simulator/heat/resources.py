"""Heat's JSON for the resources of a stack, their attributes and their events."""

import uuid
from collections.abc import Iterable
from typing import Any

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.orchestration import Orchestration
from handlers.clouds.memory.things import StackResource, StackThing
from simulator.cinder import views as cinder
from simulator.heat import views
from simulator.neutron import views as neutron
from simulator.nova import views as nova
from simulator.wire import stamp

#: The microversion with which Heat looks at servers.
_COMPUTE = (2, 90)

_STEPS = ("unchanged", "updated", "replaced", "added", "deleted")


class Rows:
    """Resources as Heat shows them; `root` is the base URL of the simulator."""

    def __init__(self, core: Core, orchestration: Orchestration) -> None:
        self._core = core
        self._orchestration = orchestration

    def listed(self, stack: StackThing, row: StackResource, root: str) -> dict[str, Any]:
        """One row of the listing."""
        return {
            **_dates(row),
            "logical_resource_id": row.name,
            "resource_name": row.name,
            "physical_resource_id": row.physical,
            "resource_status": f"{row.action}_{row.status}",
            "resource_status_reason": row.reason,
            "resource_type": row.type,
            "links": [
                views.link(root, stack, "resources", row.name),
                views.link(root, stack, rel="stack"),
            ],
            "required_by": self._orchestration.required_by(stack, row),
        }

    def detail(self, stack: StackThing, row: StackResource, root: str) -> dict[str, Any]:
        """The row with the attributes: what the resource's own service says of it now."""
        more = {"description": "", "attributes": self._attributes(row.physical, root)}
        return {**self.listed(stack, row, root), **more}

    def changes(
        self, stack: StackThing, found: dict[str, list[str]], types: dict[str, str], root: str
    ) -> dict[str, Any]:
        """What an update would do. `types` are those of the new template."""
        return {
            step: [self._change(stack, name, types, step, root) for name in found.get(step, ())]
            for step in _STEPS
        }

    def planned(self, stack: StackThing, root: str) -> list[dict[str, Any]]:
        """The resources of a stack that is not there yet."""
        needed = self._orchestration.required_by
        rows = self._orchestration.resources(stack)
        return [self._bare(stack, row, needed(stack, row), root) for row in rows]

    def _change(
        self, stack: StackThing, name: str, types: dict[str, str], step: str, root: str
    ) -> dict[str, Any]:
        """What is updated or deleted is shown as it is, all else as what it would begin as."""
        there = stack.resources.get(name)
        begun = StackResource(name=name, type=types.get(name, ""), revision=0)
        as_is = there is not None and step in ("updated", "deleted")
        needed = self._orchestration.required_by(stack, there) if there else ()
        required_by = needed if as_is else [other for other in needed if other in types]
        return self._bare(stack, there if as_is and there else begun, required_by, root)

    def _bare(
        self, stack: StackThing, row: StackResource, required_by: Iterable[str], root: str
    ) -> dict[str, Any]:
        """A resource as the engine tells it, without links."""
        own = {
            "tenant": stack.project,
            "stack_name": stack.name,
            "stack_id": stack.id or "None",
        }
        return {
            **(_dates(row) if row.physical else _NEVER),
            "resource_name": row.name,
            "physical_resource_id": row.physical,
            "resource_action": row.action,
            "resource_status": row.status,
            "resource_status_reason": row.reason,
            "resource_type": row.type,
            "resource_identity": {**own, "path": f"/resources/{row.name}"},
            "stack_identity": {**own, "path": ""},
            "stack_name": stack.name,
            "required_by": list(required_by),
            "description": "",
            "metadata": {},
            "attributes": self._attributes(row.physical, root),
        }

    def _attributes(self, physical: str, root: str) -> dict[str, Any]:
        core = self._core
        if (server := core.servers.get(physical)) is not None:
            shown = nova.server_detail(core, server, root, _COMPUTE)
            return {**shown, "os_collect_config": {}}
        if (volume := core.volumes.get(physical)) is not None:
            return cinder.detail(volume, root)
        if (port := core.ports.get(physical)) is not None:
            return neutron.port(port)
        group = core.groups.get(physical)
        return neutron.group(group) if group is not None else {}


_NEVER = {"updated_time": None, "creation_time": None}


def events(stack: StackThing, rows: Iterable[StackResource], root: str) -> list[dict[str, Any]]:
    """The last event of the stack and of each of its resources; older ones are not kept."""
    whole = StackResource(
        name=stack.name,
        type="OS::Heat::Stack",
        physical=stack.id,
        action=stack.action,
        status=stack.status,
        reason=stack.reason,
        revision=stack.revision,
        updated=stack.updated or stack.created,
    )
    return [_event(stack, row, root) for row in (whole, *rows)]


def _event(stack: StackThing, row: StackResource, root: str) -> dict[str, Any]:
    state = f"{row.action}_{row.status}"
    one = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{stack.id}/{row.name}/{state}/{row.updated}"))
    return {
        "id": one,
        "links": [
            views.link(root, stack, "resources", row.name, "events", one),
            views.link(root, stack, "resources", row.name, rel="resource"),
            views.link(root, stack, rel="stack"),
        ],
        "event_time": stamp(row.updated or row.created),
        "logical_resource_id": row.name,
        "resource_name": row.name,
        "physical_resource_id": row.physical,
        "resource_status": state,
        "resource_status_reason": row.reason,
    }


def _dates(row: StackResource) -> dict[str, Any]:
    return {
        "updated_time": stamp(row.updated or row.created),
        "creation_time": stamp(row.created),
    }
