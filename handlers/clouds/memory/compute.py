"""The compute service's API side: what a call is checked for before anything begins."""

import msgspec

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.lifecycle import Lifecycle
from handlers.clouds.memory.network import Networking
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.storage import Storage
from handlers.clouds.memory.things import ServerThing
from handlers.identity import role_of, subject_of
from handlers.resources import Service


class ServerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a server's POST says. `delete_with`: volumes with delete_on_termination true."""

    name: str
    flavor: str
    image: str
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    delete_with: frozenset[str] = frozenset()
    metadata: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    zone: str | None = None
    key_name: str | None = None
    user_data: str | None = None
    config_drive: bool = False


class Compute:
    """Nova's behaviour. Call it with the state's lock held."""

    def __init__(
        self, core: Core, network: Networking, storage: Storage, lifecycle: Lifecycle
    ) -> None:
        self._core = core
        self._network = network
        self._storage = storage
        self._lifecycle = lifecycle

    def create(self, doing: Doing, project: str, spec: ServerSpec) -> ServerThing:
        core = self._core
        self._check(project, spec)
        server = ServerThing(
            id=core.new_id(),
            project=project,
            name=spec.name,
            status="BUILD",
            subject=subject_of(spec.name, spec.tags, spec.metadata),
            role=role_of(meta=spec.metadata),
            flavor=spec.flavor,
            image=spec.image,
            ports=list(spec.ports),
            volumes=list(spec.volumes),
            delete_with=spec.delete_with,
            metadata=dict(spec.metadata),
            tags=spec.tags,
            zone=spec.zone or core.catalogue.zones[0],
            key_name=spec.key_name,
            user_data=spec.user_data,
            config_drive=spec.config_drive,
        )
        core.servers[server.id] = server
        core.born(server, doing)
        core.touch(server)
        self._note(doing, server, "create")
        self._lifecycle.build(doing, server)
        return server

    def delete(self, doing: Doing, server_id: str) -> None:
        server = self.server(server_id)
        if server.task == "deleting" or server.deleted is not None:
            return
        self._note(doing, server, "delete")
        self._lifecycle.delete(doing, server)

    def resize(self, doing: Doing, server_id: str, flavor: str) -> None:
        server = self.server(server_id)
        if all(one.id != flavor for one in self._core.catalogue.flavors):
            raise _refused(400, f"Flavor {flavor} could not be found.")
        self._must(server, "resize", ("ACTIVE", "SHUTOFF"))
        if flavor == server.flavor:
            raise _refused(400, "When resizing, instances must change flavor!")
        self._note(doing, server, "resize")
        server.new_flavor = flavor
        self._lifecycle.resize(doing, server)

    def confirm(self, doing: Doing, server_id: str) -> None:
        server = self.server(server_id)
        self._must(server, "confirmResize", ("VERIFY_RESIZE",))
        self._must_be_unconfirmed(server)
        self._note(doing, server, "confirmResize")
        self._lifecycle.confirm(doing, server)

    def revert(self, doing: Doing, server_id: str) -> None:
        server = self.server(server_id)
        self._must(server, "revertResize", ("VERIFY_RESIZE",))
        self._must_be_unconfirmed(server)
        self._note(doing, server, "revertResize")
        self._lifecycle.revert(doing, server)

    def reset_state(self, doing: Doing, server_id: str, status: str) -> None:
        self._lifecycle.reset(self.server(server_id), status)

    def reboot(self, doing: Doing, server_id: str, hard: bool) -> None:
        server = self.server(server_id)
        self._must(server, "reboot", ("ACTIVE", "SHUTOFF"))
        self._note(doing, server, "reboot")
        self._lifecycle.reboot(doing, server, hard)

    def server(self, server_id: str) -> ServerThing:
        server = self._core.servers.get(server_id)
        if server is None:
            raise _refused(404, f"Instance {server_id} could not be found.", "itemNotFound")
        return server

    # -- inner ----------------------------------------------------------------------------------

    def _check(self, project: str, spec: ServerSpec) -> None:
        core = self._core
        if all(one.id != spec.flavor for one in core.catalogue.flavors):
            raise _refused(400, f"Flavor {spec.flavor} could not be found.")
        if spec.image and all(one.id != spec.image for one in core.catalogue.images):
            raise _refused(400, "Can not find requested image")
        if spec.zone is not None and spec.zone not in core.catalogue.zones:
            raise _refused(400, "The requested availability zone is not available")
        limit, used = core.quota(project).instances, self._used(project)
        if 0 <= limit <= used:
            text = (
                f"Quota exceeded for instances: Requested 1, but already used {used} of {limit} "
                "instances"
            )
            raise _refused(403, text, "forbidden")
        for port_id in spec.ports:
            self._check_port(port_id)
        for volume_id in spec.volumes:
            self.check_volume(volume_id)

    def _used(self, project: str) -> int:
        return sum(one.project == project for one in self._core.servers.values())

    def _check_port(self, port_id: str) -> None:
        """Only a port that is bound already is refused: for about 1.5 s nothing guards it."""
        port = self._core.ports.get(port_id)
        if port is None:
            raise _refused(400, f"Port id {port_id} could not be found.")
        if port.device:
            raise _refused(409, f"Port {port_id} is still in use.", "conflictingRequest")

    def check_volume(self, volume_id: str) -> None:
        """Whether a server may have the volume; Refusal 400 otherwise."""
        volume = self._core.volumes.get(volume_id)
        if volume is None:
            raise _refused(400, f"Volume {volume_id} could not be found.")
        if volume.status != "available":
            text = (
                f"Invalid volume: Invalid input received: Invalid volume: Volume {volume_id} "
                "status must be available or downloading to reserve, but the current status is "
                f"{volume.status}."
            )
            raise _refused(400, text)

    def _must(self, server: ServerThing, verb: str, statuses: tuple[str, ...]) -> None:
        if server.status in statuses and server.task is None:
            return
        state = f"task_state {server.task}" if server.task else f"vm_state {_vm_state(server)}"
        text = f"Cannot '{verb}' instance {server.id} while it is in {state}"
        raise _refused(409, text, "conflictingRequest")

    def _must_be_unconfirmed(self, server: ServerThing) -> None:
        if server.confirming:
            raise _refused(400, "Instance has not been resized.")

    def _note(self, doing: Doing, server: ServerThing, name: str) -> None:
        server.note(name, doing.request_id, self._core.time)


_VM_STATES = {"BUILD": "building", "VERIFY_RESIZE": "resized", "SHUTOFF": "stopped"}


def _vm_state(server: ServerThing) -> str:
    return _VM_STATES.get(server.status, server.status.lower())


def _refused(status: int, message: str, code: str = "badRequest") -> Refusal:
    return Refusal(Service.COMPUTE, status, message, code)
