"""OS::Cinder::Volume."""

from typing import Any

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.orchestration.failures import (
    Failed,
    in_error,
    missing,
    unknown_status,
)
from handlers.clouds.memory.orchestration.kinds.base import (
    Property,
    Values,
    texts,
    whole_number,
)
from handlers.clouds.memory.orchestration.natives import Natives, Steps
from handlers.clouds.memory.orchestration.refusals import invalid, invalid_property
from handlers.clouds.memory.storage import VolumeSpec
from handlers.clouds.memory.things import StackResource, StackThing, VolumeThing
from handlers.identity import role_of, subject_of
from handlers.resources import Service

_READY = ("available", "in-use")


class Volumes:
    """A volume: grows in place and online (Heat finds that Cinder has 3.42), never shrinks."""

    type = "OS::Cinder::Volume"

    def __init__(self, natives: Natives) -> None:
        self._natives = natives
        self._volumes = natives.core.volumes
        self.schema = {
            "name": Property(update=True),
            "description": Property(update=True),
            "size": Property(update=True, read=whole_number),
            "volume_type": Property(read=self._volume_type),
            "availability_zone": Property(),
            "metadata": Property(update=True, default={}, read=texts),
        }

    def validate(self, name: str, values: Values) -> None:
        if values["size"] is None:
            raise invalid(
                'If neither "backup_id" nor "size" is provided, one and only one of '
                '"source_volid", "snapshot_id" must be specified, but currently specified '
                "options: []."
            )
        if values["size"] < 1:
            text = f"{values['size']} is out of range (min: 1, max: None)"
            raise invalid_property(name, "size", text)

    def create(self, stack: StackThing, row: StackResource, values: Values) -> Steps:
        name = values["name"] or self._natives.physical_name(stack, row.name)
        spec = VolumeSpec(
            size=values["size"],
            name=name,
            description=values["description"] or f"{stack.name}-{row.name}",
            type=values["volume_type"],
            zone=values["availability_zone"] or None,
            metadata=values["metadata"],
        )

        def effect(doing: Doing) -> VolumeThing:
            return self._natives.storage.create(doing, stack.project, spec)

        volume = yield from self._natives.call(
            Service.BLOCK_STORAGE,
            "create_volume",
            effect,
            subject=subject_of(name, meta=spec.metadata),
            role=role_of(meta=spec.metadata),
        )
        row.physical = volume.id
        yield 0
        while (status := self._volume(row).status) != "available":
            if status == "error":
                raise in_error(status)
            if status != "creating":
                raise unknown_status("Volume create failed", status)
            yield None

    def update(
        self, stack: StackThing, row: StackResource, values: Values, changed: frozenset[str]
    ) -> Steps:
        if changed & {"name", "description", "metadata"}:
            yield from self._natives.call(
                Service.BLOCK_STORAGE,
                "update_volume",
                lambda doing: self._describe(row, values),
                self._volumes.get(row.physical),
            )
        if "size" in changed:
            yield from self._resize(row, values["size"])

    def delete(self, row: StackResource) -> Steps:
        volume = self._volumes.get(row.physical)
        yield 0
        if volume is not None and volume.status == "in-use":
            raise Failed("Error", "Volume in use")
        if volume is not None and volume.status != "deleting":
            delete = self._natives.storage.delete
            yield from self._natives.gone(
                Service.BLOCK_STORAGE,
                "delete_volume",
                lambda doing: delete(doing, row.physical),
                volume,
            )
            yield None
        while row.physical in self._volumes:
            if self._volumes[row.physical].status == "error_deleting":
                raise in_error("error_deleting", "delete")
            yield None

    def check(self, row: StackResource) -> Steps | None:
        return self._check(row)

    def is_broken(self, row: StackResource) -> bool:
        volume = self._volumes.get(row.physical)
        return volume is None or volume.status in ("error", "deleting")

    def replaces(self, changed: frozenset[str], values: Values) -> bool:
        return False

    def before_replacement(self, row: StackResource) -> None:
        return

    def attribute(self, row: StackResource, name: str) -> Any:
        volume = self._volumes.get(row.physical)
        if volume is None:
            return None
        if name == "metadata_values":
            return dict(volume.metadata)
        told = {
            "size": str(volume.size),
            "status": volume.status,
            "display_name": volume.name,
            "volume_type": volume.type,
            "availability_zone": volume.zone,
        }
        return told.get(name)

    # -- inner ----------------------------------------------------------------------------------

    def _volume(self, row: StackResource) -> VolumeThing:
        volume = self._volumes.get(row.physical)
        if volume is None:
            raise missing("Volume", row.physical, self._natives.request_id())
        return volume

    def _describe(self, row: StackResource, values: Values) -> None:
        volume = self._natives.storage.volume(row.physical)
        volume.name = values["name"] or volume.name
        volume.description = values["description"] or volume.description
        volume.metadata = dict(values["metadata"])
        volume.subject = subject_of(volume.name, meta=volume.metadata)
        volume.role = role_of(meta=volume.metadata)
        self._natives.core.touch(volume)

    def _resize(self, row: StackResource, size: int) -> Steps:
        """As it is already: nothing is done. While a resize of the server moves the volume along,
        its status is one that Heat does not know (measured: UPDATE_FAILED)."""
        now = self._volume(row).size
        if size < now:
            raise Failed("NotSupported", "Shrinking volume is not supported.")
        yield 0
        if size == now:
            return
        while self._volume(row).status not in _READY:
            yield None
        extend = self._natives.storage.extend
        try:
            yield from self._natives.call(
                Service.BLOCK_STORAGE,
                "extend_volume",
                lambda doing: extend(doing, row.physical, size),
                self._volume(row),
            )
        except Failed as failed:
            text = f"Failed to extend volume {row.physical} - {failed.message}"
            raise Failed("Error", text) from None
        yield None
        while (status := self._volume(row).status) not in _READY:
            if status != "extending":
                raise unknown_status("Volume resize failed", status)
            yield None

    def _check(self, row: StackResource) -> Steps:
        status = self._volume(row).status
        if status not in _READY:
            text = f"'status': expected '{list(_READY)}', got '{status}'"
            raise Failed("Error", text)
        yield 0

    def _volume_type(self, name: str, value: Any) -> str:
        if value not in self._natives.core.catalogue.volume_types:
            text = f"Error validating value '{value}': The VolumeType ({value}) could not be found."
            raise invalid_property(name, "volume_type", text)
        return str(value)
