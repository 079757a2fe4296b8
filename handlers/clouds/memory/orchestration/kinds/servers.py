"""OS::Nova::Server."""

from collections.abc import Mapping
from typing import Any

from handlers.clouds.memory.compute import ServerSpec
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.orchestration.failures import (
    Failed,
    in_error,
    missing,
    unknown_status,
)
from handlers.clouds.memory.orchestration.kinds.base import Values, texts
from handlers.clouds.memory.orchestration.kinds.server_values import ServerValues
from handlers.clouds.memory.orchestration.natives import Natives, Steps
from handlers.clouds.memory.things import ServerThing, StackResource, StackThing
from handlers.identity import role_of, subject_of
from handlers.resources import Service

#: Statuses in which Heat waits for a server to become ACTIVE.
_DEFERRED = frozenset(
    {
        "BUILD",
        "HARD_REBOOT",
        "PASSWORD",
        "REBOOT",
        "RESCUE",
        "RESIZE",
        "REVERT_RESIZE",
        "SHUTOFF",
        "SUSPENDED",
        "VERIFY_RESIZE",
    }
)


class Servers:
    """A server. It gets its tags only once it is ACTIVE (measured), its metadata at once. Another
    flavor is a resize that is confirmed at the next poll."""

    type = "OS::Nova::Server"

    def __init__(self, natives: Natives) -> None:
        self._natives = natives
        self._servers = natives.core.servers
        self._values = ServerValues(natives.core.catalogue)
        self.schema = self._values.schema

    def validate(self, name: str, values: Values) -> None:
        self._values.validate(name, values)

    def create(self, stack: StackThing, row: StackResource, values: Values) -> Steps:
        spec = self._spec(stack, row, values)

        def effect(doing: Doing) -> ServerThing:
            return self._natives.compute.create(doing, stack.project, spec)

        server = yield from self._natives.call(
            Service.COMPUTE,
            "create_server",
            effect,
            subject=subject_of(spec.name, values["tags"] or (), spec.metadata),
            role="server",
        )
        row.physical = server.id
        yield 0
        yield from self._active(row)
        if values["tags"]:
            yield from self._change(row, "set_server_tags", {"tags": tuple(values["tags"])})

    def update(
        self, stack: StackThing, row: StackResource, values: Values, changed: frozenset[str]
    ) -> Steps:
        if "metadata" in changed:
            told = {"metadata": texts(row.name, values["metadata"])}
            yield from self._change(row, "update_server_metadata", told)
        if "tags" in changed:
            yield from self._change(row, "set_server_tags", {"tags": tuple(values["tags"] or ())})
        if "name" in changed and values["name"]:
            yield from self._change(row, "rename_server", {"name": values["name"]})
        if "image" in changed or (
            "user_data" in changed and values["user_data_update_policy"] == "REBUILD"
        ):
            raise Failed("NotSupported", "Rebuilding a server of this cloud is not supported.")
        if "flavor" in changed:
            yield 0
            yield from self._resize(row, values["flavor"])

    def delete(self, row: StackResource) -> Steps:
        server = self._servers.get(row.physical)
        delete = self._natives.compute.delete
        there = yield from self._natives.gone(
            Service.COMPUTE, "delete_server", lambda doing: delete(doing, row.physical), server
        )
        if not there:
            return
        yield 0
        while (server := self._servers.get(row.physical)) and server.status != "DELETED":
            if server.task != "deleting" and server.status == "ERROR":
                text = f"Server {server.name} delete failed: (500) {server.fault}"
                raise in_error("ERROR", text)
            yield None

    def check(self, row: StackResource) -> Steps | None:
        return self._check(row)

    def is_broken(self, row: StackResource) -> bool:
        server = self._servers.get(row.physical)
        return server is None or server.status in ("ERROR", "DELETED")

    def replaces(self, changed: frozenset[str], values: Values) -> bool:
        return (
            ("flavor" in changed and values["flavor_update_policy"] == "REPLACE")
            or ("image" in changed and values["image_update_policy"] == "REPLACE")
            or ("user_data" in changed and values["user_data_update_policy"] == "REPLACE")
        )

    def before_replacement(self, row: StackResource) -> None:
        """The old server gives up its ports, unless it is in ERROR."""
        server = self._servers.get(row.physical)
        if server is not None and server.status != "ERROR":
            for port in server.ports:
                self._natives.network.unplug(port)
            server.ports.clear()

    def attribute(self, row: StackResource, name: str) -> Any:
        server = self._servers.get(row.physical)
        if server is None:
            return None
        ports = [self._natives.core.ports.get(port) for port in server.ports]
        told = {
            "name": server.name,
            "first_address": next((port.address for port in ports if port), ""),
            "tags": list(server.tags),
        }
        return told.get(name)

    # -- inner ----------------------------------------------------------------------------------

    def _spec(self, stack: StackThing, row: StackResource, values: Values) -> ServerSpec:
        """The POST of Heat's client: without tags."""
        volumes = values["block_device_mapping_v2"] or ()
        return ServerSpec(
            name=values["name"] or self._natives.physical_name(stack, row.name),
            flavor=values["flavor"],
            image=values["image"] or "",
            ports=tuple(each["port"] for each in values["networks"] or () if each.get("port")),
            volumes=tuple(each["volume_id"] for each in volumes),
            delete_with=frozenset(
                each["volume_id"] for each in volumes if each.get("delete_on_termination")
            ),
            metadata=texts(row.name, values["metadata"] or {}),
            zone=values["availability_zone"] or None,
            key_name=values["key_name"],
            user_data=values["user_data"] or None,
            config_drive=bool(values["config_drive"]),
        )

    def _server(self, row: StackResource) -> ServerThing:
        server = self._servers.get(row.physical)
        if server is None:
            raise missing("Instance", row.physical, self._natives.request_id())
        return server

    def _active(self, row: StackResource) -> Steps:
        while (status := self._server(row).status) != "ACTIVE":
            if status == "ERROR":
                raise in_error(status, f"Message: {self._server(row).fault}, Code: 500")
            if status not in _DEFERRED:
                raise unknown_status("Server is not active", status)
            yield None

    def _resize(self, row: StackResource, flavor: str) -> Steps:
        """A server that stays ACTIVE (no host) is waited for until the stack's time is over."""
        resize, confirm = self._natives.compute.resize, self._natives.compute.confirm
        yield from self._natives.call(
            Service.COMPUTE,
            "resize_server",
            lambda doing: resize(doing, row.physical, flavor),
            self._server(row),
        )
        yield None
        while (status := self._server(row).status) in ("RESIZE", "ACTIVE"):
            yield None
        if status != "VERIFY_RESIZE":
            raise Failed("Error", f"Resizing to '{flavor}' failed, status '{status}'")
        yield None
        if (status := self._server(row).status) != "VERIFY_RESIZE":
            raise unknown_status(f"Could not confirm resize of server {row.physical}", status)
        yield from self._natives.call(
            Service.COMPUTE,
            "confirm_resize",
            lambda doing: confirm(doing, row.physical),
            self._server(row),
        )
        yield None
        while (status := self._server(row).status) == "VERIFY_RESIZE":
            yield None
        if status != "ACTIVE":
            raise unknown_status(f"Confirm resize for server {row.physical} failed", status)

    def _change(self, row: StackResource, verb: str, told: Mapping[str, Any]) -> Steps:
        def effect(doing: Doing) -> None:
            server = self._natives.compute.server(row.physical)
            for key, value in told.items():
                setattr(server, key, value)
            server.subject = subject_of(server.name, server.tags, server.metadata)
            server.role = role_of(meta=server.metadata)
            self._natives.core.touch(server)

        yield from self._natives.call(
            Service.COMPUTE, verb, effect, self._servers.get(row.physical)
        )

    def _check(self, row: StackResource) -> Steps:
        status = self._server(row).status
        if status != "ACTIVE":
            raise Failed("Error", f"'status': expected 'ACTIVE', got '{status}'")
        yield 0
