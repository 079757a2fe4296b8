"""Nova v2.1: what is done to a server, what was done, and its attachments."""

from typing import Any

import msgspec

from handlers.clouds.memory.attachments import DOOMING, Attachments
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.state import CloudState
from handlers.resources import Service
from simulator.nova import views
from simulator.nova.servers import AT, Servers
from simulator.wire import Incoming, Reply, Route, bad, forbidden

#: Actions with the verb that the fault plan knows them by, and the status of their answer.
ACTIONS: dict[str, tuple[str, int]] = {
    "resize": ("resize_server", 202),
    "confirmResize": ("confirm_resize", 204),
    "revertResize": ("revert_resize", 202),
    "os-resetState": ("reset_server", 202),
    "reboot": ("reboot_server", 202),
}


class Actions:
    """Sub-resources of a server."""

    def __init__(self, state: CloudState, servers: Servers) -> None:
        self._compute = state.compute
        self._attachments = Attachments(state.core, state.storage, state.compute)
        self._servers = servers
        self._door = servers.door

    def routes(self) -> list[Route]:
        one = f"{AT}/servers/<id>"
        return [
            Route(method, one + path, handler, Service.COMPUTE)
            for method, path, handler in (
                ("POST", "/action", self._act),
                ("GET", "/os-instance-actions", self._list),
                ("GET", "/os-instance-actions/<request>", self._show),
                ("GET", "/os-volume_attachments", self._attached),
                ("POST", "/os-volume_attachments", self._attach),
                ("PUT", "/os-volume_attachments/<volume>", self._change),
                ("DELETE", "/os-volume_attachments/<volume>", self._detach),
            )
        ]

    # -- actions --------------------------------------------------------------------------------

    def _act(self, request: Incoming) -> Reply:
        """One of the actions; the body has one key, the action's name."""
        name, given = _action_of(request.body)
        if name == "os-resetState" and not request.account.admin:
            raise forbidden(Service.COMPUTE, "os_compute_api:os-admin-actions:reset_state")
        verb, status = ACTIONS[name]

        def effect(doing: Doing) -> Reply:
            self._do(doing, name, given, self._servers.one(request).id)
            return Reply(status=status)

        return self._door.call(verb, effect, thing=self._servers.maybe(request))

    def _do(self, doing: Doing, name: str, given: dict[str, Any], server: str) -> None:
        compute = self._compute
        match name:
            case "resize":
                compute.resize(doing, server, str(given.get("flavorRef")))
            case "confirmResize":
                compute.confirm(doing, server)
            case "revertResize":
                compute.revert(doing, server)
            case "os-resetState":
                compute.reset_state(doing, server, str(given.get("state", "error")).upper())
            case "reboot":
                compute.reboot(doing, server, given.get("type") == "HARD")

    # -- what was done --------------------------------------------------------------------------

    def _list(self, request: Incoming) -> Reply:
        def body() -> dict[str, Any]:
            server = self._servers.one(request)
            done = reversed(server.actions)
            return {"instanceActions": [views.action(server, one, request.version) for one in done]}

        return self._door.look("get_server", body)

    def _show(self, request: Incoming) -> Reply:
        def body() -> dict[str, Any]:
            server = self._servers.one(request)
            for one in server.actions:
                if one.request_id == request.args["request"]:
                    return {"instanceAction": views.action(server, one, request.version)}
            text = f"Action for request_id {request.args['request']} not found"
            raise Refusal(Service.COMPUTE, 404, text, "itemNotFound")

        return self._door.look("get_server", body)

    # -- attachments ----------------------------------------------------------------------------

    def _attached(self, request: Incoming) -> Reply:
        def body() -> dict[str, Any]:
            server = self._servers.one(request)
            shown = [views.attachment(server, one, request.version) for one in server.volumes]
            return {"volumeAttachments": shown}

        return self._door.look("get_server", body)

    def _attach(self, request: Incoming) -> Reply:
        given = request.json(Service.COMPUTE, "volumeAttachment")
        volume = str(given.get("volumeId"))

        def effect(doing: Doing) -> Reply:
            server = self._servers.one(request)
            self._attachments.attach(doing, server.id, volume)
            shown = views.attachment(server, volume, request.version)
            return Reply(body={"volumeAttachment": shown})

        return self._door.call("attach_volume", effect, thing=self._servers.maybe(request))

    def _change(self, request: Incoming) -> Reply:
        """To put another volume in its place is for Cinder, and only while it migrates one."""
        given = request.json(Service.COMPUTE, "volumeAttachment")
        volume = request.args["volume"]
        if "volumeId" not in given:
            text = "Invalid input for field/attribute volumeAttachment. "
            raise bad(Service.COMPUTE, text + "'volumeId' is a required property")
        if request.version < DOOMING and "delete_on_termination" in given:
            text = "Additional properties are not allowed ('delete_on_termination' was unexpected)"
            raise bad(Service.COMPUTE, text)

        def effect(doing: Doing) -> Reply:
            server = self._servers.one(request)
            if "delete_on_termination" in given:
                doomed = bool(given["delete_on_termination"])
                self._attachments.doom(server.id, volume, doomed)
            if given["volumeId"] != volume or request.version < DOOMING:
                text = f"volume {volume} is not migrating; this API should only be called by Cinder"
                raise Refusal(Service.COMPUTE, 409, text, "conflictingRequest")
            return Reply(status=202)

        return self._door.call("doom_volume", effect, thing=self._servers.maybe(request))

    def _detach(self, request: Incoming) -> Reply:
        def effect(doing: Doing) -> Reply:
            server = self._servers.one(request)
            self._attachments.detach(doing, server.id, request.args["volume"])
            return Reply(status=202)

        return self._door.call("detach_volume", effect, thing=self._servers.maybe(request))


def _action_of(body: bytes) -> tuple[str, dict[str, Any]]:
    """The action's name and its arguments; Refusal 400 when there is no such action."""
    try:
        given = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        given = {}
    name = next(iter(given), "")
    if name not in ACTIONS:
        raise bad(Service.COMPUTE, f"There is no such action: {name}")
    return name, given[name] or {}
