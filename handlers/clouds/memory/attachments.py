"""Volumes that come to a server, or go, while it lives."""

from handlers.clouds.memory.compute import Compute
from handlers.clouds.memory.core import Core
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Outcome
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.storage import Storage
from handlers.resources import Service

#: The microversion in which delete_on_termination of an attached volume can be changed (Ussuri).
DOOMING = (2, 85)


class Attachments:
    """Nova's os-volume_attachments. Call it with the state's lock held."""

    def __init__(self, core: Core, storage: Storage, compute: Compute) -> None:
        self._core = core
        self._storage = storage
        self._compute = compute

    def attach(self, doing: Doing, server_id: str, volume_id: str) -> None:
        """reserved, then in-use; it does not show in `changes-since` (measured)."""
        core, server = self._core, self._compute.server(server_id)
        self._compute.check_volume(volume_id)
        volume = core.volumes[volume_id]
        server.volumes.append(volume_id)
        server.note("attach_volume", doing.request_id, core.time)
        self._storage.move(volume_id, "reserved", server_id)
        if doing.outcome is Outcome.STUCK:
            return

        def end() -> None:
            if doing.fails:
                server.volumes.remove(volume_id)
                self._storage.move(volume_id, "available", server_id)
            else:
                self._storage.move(volume_id, "in-use", server_id)

        core.later(volume, core.draw(core.times.volume_attach), end)

    def detach(self, doing: Doing, server_id: str, volume_id: str) -> None:
        """detaching, then available."""
        core, server = self._core, self._compute.server(server_id)
        volume = core.volumes.get(volume_id)
        if volume is None or server_id not in volume.servers:
            text = f"volume_id not found: {volume_id}"
            raise Refusal(Service.COMPUTE, 404, text, "itemNotFound")
        if server.status == "ERROR":
            text = f"Cannot 'detach_volume' instance {server_id} while it is in vm_state error"
            raise Refusal(Service.COMPUTE, 409, text, "conflictingRequest")
        server.note("detach_volume", doing.request_id, core.time)
        self._storage.move(volume_id, "detaching", server_id)
        if doing.outcome is Outcome.STUCK:
            return

        def end() -> None:
            if doing.fails:
                self._storage.move(volume_id, "in-use", server_id)
            else:
                server.volumes.remove(volume_id)
                server.delete_with -= {volume_id}
                self._storage.move(volume_id, "available", server_id)

        core.later(volume, core.draw(core.times.volume_attach), end)

    def doom(self, server_id: str, volume_id: str, doomed: bool) -> None:
        """Whether the volume goes with the server. No status and no time-stamp tells of it."""
        newest = self._core.abilities.compute
        if newest < DOOMING:
            text = (
                f"Version {dotted(DOOMING)} is not supported by the API. Minimum is 2.1 and "
                f"maximum is {dotted(newest)}."
            )
            raise Refusal(Service.COMPUTE, 406, text, "computeFault")
        server = self._compute.server(server_id)
        if volume_id not in server.volumes:
            text = f"No volume Block Device Mapping with id {volume_id}."
            raise Refusal(Service.COMPUTE, 404, text, "itemNotFound")
        kept = server.delete_with - {volume_id}
        server.delete_with = kept | {volume_id} if doomed else kept


def dotted(version: tuple[int, int]) -> str:
    """A microversion as text."""
    return f"{version[0]}.{version[1]}"
