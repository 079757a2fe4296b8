"""The block storage service: volumes, their statuses and what they are attached to."""

import msgspec

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Outcome
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.things import Micros, VolumeThing
from handlers.identity import role_of, subject_of
from handlers.resources import Service

DELETABLE = frozenset(
    {"available", "error", "error_restoring", "error_extending", "error_managing"}
)

#: Until a scheduler has chosen a host for a new volume (microseconds).
SCHEDULING = 100_000


class VolumeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a volume's POST says; `size` in GiB."""

    size: int
    name: str = ""
    description: str | None = None
    type: str | None = None
    zone: str | None = None
    metadata: dict[str, str] = {}


class Storage:
    """Cinder's behaviour. Call it with the state's lock held."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(self, doing: Doing, project: str, spec: VolumeSpec) -> VolumeThing:
        core = self._core
        self._check(project, spec)
        volume = VolumeThing(
            id=core.new_id(),
            project=project,
            name=spec.name,
            status="creating",
            subject=subject_of(spec.name, meta=spec.metadata),
            role=role_of(meta=spec.metadata),
            size=spec.size,
            type=spec.type or core.catalogue.volume_types[0],
            zone=spec.zone or "nova",
            description=spec.description,
            metadata=dict(spec.metadata),
        )
        core.volumes[volume.id] = volume
        core.born(volume, doing)
        end = "error" if doing.fails else "available"
        self._settle(doing, volume, core.draw(core.times.volume_create), end)
        return volume

    def extend(self, doing: Doing, volume_id: str, size: int, online: bool = True) -> None:
        """The size changes when the status comes back. `online`: in-use will do (3.42)."""
        core, volume = self._core, self.volume(volume_id)
        if volume.status != "available" and not (online and volume.status == "in-use"):
            text = (
                f"Invalid volume: Volume {volume_id} status must be "
                f"'{{'status': 'available'}}' to extend, currently {volume.status}."
            )
            raise _refused(400, text)
        if size <= volume.size:
            text = (
                "Invalid input received: New size for extend must be greater than current size. "
                f"(current: {volume.size}, extended: {size})."
            )
            raise _refused(400, text)
        self._check_gigabytes(volume.project, size - volume.size)
        before = volume.status
        volume.epoch += 1
        core.touch(volume, "extending")
        if doing.outcome is Outcome.STUCK:
            return

        def end() -> None:
            if not doing.fails:
                volume.size = size
            core.touch(volume, "error_extending" if doing.fails else before)
            self._tell(doing, volume)
            if doing.outcome is Outcome.FLAP:
                core.flap(volume, "extending")

        core.later(volume, core.draw(core.times.volume_extend), end)

    def _tell(self, doing: Doing, volume: VolumeThing) -> None:
        """Cinder tells Nova of the new size; that it was not heard shows in the actions only."""
        for server_id in volume.servers if not doing.fails else ():
            server = self._core.servers.get(server_id)
            if server is not None:
                message = "Error" if doing.outcome is Outcome.UNTOLD else None
                server.note("extend_volume", doing.request_id, self._core.time, message)

    def reset_status(self, doing: Doing, volume_id: str, status: str) -> None:
        volume = self.volume(volume_id)
        volume.epoch += 1
        self._core.touch(volume, status)

    def delete(self, doing: Doing, volume_id: str) -> None:
        """A volume that no scheduler has seen yet is gone at once (seen on Cinder 29)."""
        core, volume = self._core, self.volume(volume_id)
        if volume.status == "creating" and core.time - volume.created < SCHEDULING:
            self._forget(volume)
            return
        if volume.status not in DELETABLE or volume.servers:
            text = (
                "Invalid volume: Volume status must be available or error or error_restoring or "
                "error_extending or error_managing and must not be migrating, attached, belong to "
                "a group, have snapshots, awaiting a transfer, or be disassociated from snapshots "
                "after volume transfer."
            )
            raise _refused(400, text)
        volume.epoch += 1
        core.touch(volume, "deleting")
        if doing.outcome is Outcome.STUCK:
            return
        delay = core.draw(core.times.volume_delete)
        if doing.fails:
            core.later(volume, delay, lambda: core.touch(volume, "error_deleting"))
        else:
            core.later(volume, delay, lambda: self._forget(volume))

    def volume(self, volume_id: str) -> VolumeThing:
        volume = self._core.volumes.get(volume_id)
        if volume is None:
            raise self.no_volume(volume_id)
        return volume

    def no_volume(self, volume_id: str) -> Refusal:
        """What Cinder says of a volume that is not there, or not to be seen."""
        return _refused(404, f"Volume {volume_id} could not be found.", "itemNotFound")

    # -- what Nova does to volumes --------------------------------------------------------------

    def move(self, volume_id: str, status: str, server: str = "") -> None:
        """Nova moves an attachment along: reserved, attaching, in-use, or available again."""
        volume = self._core.volumes.get(volume_id)
        if volume is None or volume.status.startswith("deleting"):
            return
        if volume.status.startswith("error") and not self._lets_go(volume, status, server):
            return
        volume.epoch += 1
        if status == "in-use" and server not in volume.servers:
            volume.servers.append(server)
            volume.attached = self._core.time
        if status == "available":
            volume.servers = [one for one in volume.servers if one != server]
        self._core.touch(volume, status)

    def _lets_go(self, volume: VolumeThing, status: str, server: str) -> bool:
        """A volume whose extension failed is available when its server is gone."""
        is_over = status == "available" and server in volume.servers
        return is_over and volume.status == "error_extending"

    def drop(self, volume_id: str) -> None:
        """Delete a volume with its server (delete_on_termination)."""
        volume = self._core.volumes.get(volume_id)
        if volume is not None:
            self._forget(volume)

    # -- inner ----------------------------------------------------------------------------------

    def _settle(self, doing: Doing, volume: VolumeThing, delay: Micros, status: str) -> None:
        core = self._core
        if doing.outcome is Outcome.STUCK:
            return
        before = volume.status

        def end() -> None:
            core.touch(volume, status)
            if doing.outcome is Outcome.FLAP:
                core.flap(volume, before)

        core.later(volume, delay, end)

    def _forget(self, volume: VolumeThing) -> None:
        volume.epoch += 1
        self._core.volumes.pop(volume.id, None)

    def _check(self, project: str, spec: VolumeSpec) -> None:
        core = self._core
        if spec.type is not None and spec.type not in core.catalogue.volume_types:
            text = f"Volume type with name {spec.type} could not be found."
            raise _refused(404, text, "itemNotFound")
        if spec.zone is not None and spec.zone not in core.catalogue.zones:
            raise _refused(400, f"Availability zone '{spec.zone}' is invalid.")
        limit = core.quota(project).volumes
        if 0 <= limit <= sum(one.project == project for one in core.volumes.values()):
            text = (
                f"VolumeLimitExceeded: Maximum number of volumes allowed ({limit}) exceeded for "
                "quota 'volumes'."
            )
            raise _refused(413, text, "overLimit")
        self._check_gigabytes(project, spec.size)

    def _check_gigabytes(self, project: str, more: int) -> None:
        core = self._core
        limit = core.quota(project).gigabytes
        used = sum(one.size for one in core.volumes.values() if one.project == project)
        if 0 <= limit < used + more:
            text = (
                "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
                f"gigabytes quota. Requested {more}G, quota is {limit}G and {used}G has been "
                "consumed."
            )
            raise _refused(413, text, "overLimit")


def _refused(status: int, message: str, code: str = "badRequest") -> Refusal:
    return Refusal(Service.BLOCK_STORAGE, status, message, code)
