"""OS::Cinder::VolumeAttachment."""

from typing import Any

from handlers.clouds.memory.orchestration.failures import Failed, unknown_status
from handlers.clouds.memory.orchestration.kinds.base import Property, Values
from handlers.clouds.memory.orchestration.natives import Natives, Steps
from handlers.clouds.memory.things import StackResource, StackThing
from handlers.resources import Service


class VolumeAttachments:
    """A volume at a server; its physical id is the volume's (measured)."""

    type = "OS::Cinder::VolumeAttachment"

    def __init__(self, natives: Natives) -> None:
        self._natives = natives
        self._volumes = natives.core.volumes
        self.schema = {
            "instance_uuid": Property(update=True, required=True),
            "volume_id": Property(update=True, required=True),
            "mountpoint": Property(update=True),
        }

    def validate(self, name: str, values: Values) -> None:
        return

    def create(self, stack: StackThing, row: StackResource, values: Values) -> Steps:
        yield from self._attach(values["instance_uuid"], values["volume_id"])
        row.physical = values["volume_id"]
        yield 0
        yield from self._attached(row.physical)

    def update(
        self, stack: StackThing, row: StackResource, values: Values, changed: frozenset[str]
    ) -> Steps:
        """Detached from where it was, then attached."""
        yield from self._detach(row)
        yield from self._attach(values["instance_uuid"], values["volume_id"])
        row.physical = values["volume_id"]
        yield None
        yield from self._attached(row.physical)

    def delete(self, row: StackResource) -> Steps:
        yield from self._detach(row)

    def check(self, row: StackResource) -> Steps | None:
        return None

    def is_broken(self, row: StackResource) -> bool:
        return True

    def replaces(self, changed: frozenset[str], values: Values) -> bool:
        return False

    def before_replacement(self, row: StackResource) -> None:
        return

    def attribute(self, row: StackResource, name: str) -> Any:
        return None

    # -- inner ----------------------------------------------------------------------------------

    def _attach(self, server: str, volume: str) -> Steps:
        attach = self._natives.attachments.attach
        try:
            yield from self._natives.call(
                Service.COMPUTE,
                "attach_volume",
                lambda doing: attach(doing, server, volume),
                self._natives.core.servers.get(server),
            )
        except Failed as failed:
            text = f"Failed to attach volume {volume} to server {server} - {failed.message}"
            raise Failed("Error", text) from None

    def _attached(self, volume_id: str) -> Steps:
        while (status := self._status(volume_id)) != "in-use":
            if status not in ("available", "attaching", "reserved"):
                raise unknown_status("Volume attachment failed", status)
            yield None

    def _detach(self, row: StackResource) -> Steps:
        """Asked again for as long as Nova says that it cannot now: for a server in ERROR that is
        until the stack's time is over (measured)."""
        server, volume = row.properties["instance_uuid"], row.properties["volume_id"]
        detach = self._natives.attachments.detach
        while row.physical:
            try:
                yield from self._natives.gone(
                    Service.COMPUTE,
                    "detach_volume",
                    lambda doing: detach(doing, server, volume),
                    self._natives.core.servers.get(server),
                )
                break
            except Failed as failed:
                if failed.status == 409:
                    yield None
                elif failed.status == 400:
                    break
                else:
                    text = f"Could not detach attachment {volume} from server {server}."
                    raise Failed("Error", text) from None
        yield 0
        while (one := self._volumes.get(volume)) and server in one.servers:
            if one.status not in ("in-use", "detaching", "reserved"):
                raise unknown_status("Volume detachment failed", one.status)
            yield None

    def _status(self, volume_id: str) -> str:
        volume = self._volumes.get(volume_id)
        return volume.status if volume else "deleted"
