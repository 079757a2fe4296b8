"""`Somebody` and what Heat stores, over HTTP."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.contract.managers.inventory import SeenStack, Stored
from tests.contract.managers.project import HttpProject

#: A stack that is nobody's business.
THEIRS = {
    "heat_template_version": "2017-02-24",
    "resources": {"theirs": {"type": "OS::Neutron::SecurityGroup"}},
}

#: Seconds that each of these things may take.
_PATIENCE = 60.0


class HttpSomebody:
    """Another user of the project."""

    def __init__(self, project: HttpProject) -> None:
        self._project = project

    def deletes_server(self, server: str) -> None:
        self._project.delete("compute", f"/servers/{server}")
        self._until(lambda: self._project.is_gone("compute", f"/servers/{server}"))

    def resizes_server(self, server: str, flavor: str) -> None:
        path = f"/servers/{server}/action"
        self._project.post("compute", path, {"resize": {"flavorRef": flavor}})
        self._until(lambda: self._server(server)["status"] == "VERIFY_RESIZE")
        self._project.post("compute", path, {"confirmResize": None})
        self._until(lambda: self._server(server)["status"] == "ACTIVE")

    def extends_volume(self, volume: str, size: int) -> None:
        body = {"os-extend": {"new_size": size}}
        self._project.post("block_storage", f"/volumes/{volume}/action", body, microversion="3.42")
        self._until(lambda: self._volume(volume)["status"] == "in-use")

    def makes_stack(self, name: str) -> str:
        body = {"stack_name": name, "template": THEIRS, "disable_rollback": True}
        made = self._project.post("orchestration", "/stacks", body)["stack"]
        stack = SeenStack(id=made["id"], name=name, status="", tags=frozenset())
        self._rests(stack)
        return stack.id

    def begins_update(self, stack: SeenStack, **parameters: str) -> None:
        path, body = self._path(stack), {"parameters": parameters}
        self._project.patch("orchestration", path, body)

    def updates_stack(self, stack: SeenStack, **parameters: str) -> str:
        self.begins_update(stack, **parameters)
        return self._rests(stack)

    def deletes_stack(self, stack: SeenStack) -> None:
        self._project.delete("orchestration", self._path(stack))
        self._until(lambda: not self._is_listed(stack))

    def abandons_stack(self, stack: SeenStack) -> None:
        self._project.delete("orchestration", f"{self._path(stack)}/abandon")
        self._until(lambda: not self._is_listed(stack))

    def _rests(self, stack: SeenStack) -> str:
        """Wait until Heat no longer works on it; its status then."""
        self._until(lambda: not self._status(stack).endswith("IN_PROGRESS"))
        return self._status(stack)

    def _status(self, stack: SeenStack) -> str:
        found = self._project.get("orchestration", self._path(stack))["stack"]
        return str(found["stack_status"])

    def _is_listed(self, stack: SeenStack) -> bool:
        """A moment longer than Heat says DELETE_COMPLETE."""
        return any(each.id == stack.id for each in self._project.stacks())

    def _server(self, server: str) -> dict[str, Any]:
        found: dict[str, Any] = self._project.get("compute", f"/servers/{server}")["server"]
        return found

    def _volume(self, volume: str) -> dict[str, Any]:
        found: dict[str, Any] = self._project.get("block_storage", f"/volumes/{volume}")["volume"]
        return found

    def _path(self, stack: SeenStack) -> str:
        return f"/stacks/{stack.name}/{stack.id}"

    def _until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < end, "what somebody else began did not come to its end"
            time.sleep(0.25)


def resolved(template: Any, ids: Mapping[str, str]) -> Any:
    """The template with ids where it refers to its resources.

    A preview takes such a reference for a change, for it knows no ids, and a server whose volume is
    one for a replacement; the update itself knows better (measured on Heat 27).
    """
    if isinstance(template, Mapping):
        if template.keys() == {"get_resource"}:
            return ids[template["get_resource"]]
        return {key: resolved(value, ids) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [resolved(each, ids) for each in template]
    return template


def retained_by(template: Mapping[str, Any]) -> frozenset[str]:
    """The names of the resources that are not deleted with the stack."""
    resources = template["resources"]
    return frozenset(
        name for name, one in resources.items() if one.get("deletion_policy") == "Retain"
    )


def stored_of(project: HttpProject, stack: SeenStack) -> Stored:
    """The stack's parameters, and a preview of an update that changes nothing."""
    path = f"/stacks/{stack.name}/{stack.id}"
    kept = project.get("orchestration", path)["stack"]["parameters"]
    template = project.get("orchestration", f"{path}/template")
    resources = project.get("orchestration", f"{path}/resources")["resources"]
    ids = {one["resource_name"]: one["physical_resource_id"] for one in resources}
    same = {"template": resolved(template, ids)}
    preview = project.patch("orchestration", f"{path}/preview", same)["resource_changes"]

    def named(what: str) -> frozenset[str]:
        return frozenset(each["resource_name"] for each in preview[what])

    return Stored(
        parameters={key: str(value) for key, value in kept.items()},
        members=ids,
        retained=retained_by(template),
        replaced=named("replaced"),
        added=named("added"),
        deleted=named("deleted"),
    )
