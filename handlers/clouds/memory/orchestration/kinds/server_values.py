"""Properties of OS::Nova::Server: which there are, how they are read, what goes together."""

from collections.abc import Mapping
from typing import Any

from handlers.clouds.memory.orchestration.kinds.base import Property, Values
from handlers.clouds.memory.orchestration.refusals import invalid, invalid_property
from handlers.clouds.memory.settings import Catalogue


class ServerValues:
    """The schema, with flavors and images by name or id."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._flavors = _by_both((each.id, each.name) for each in catalogue.flavors)
        self._images = _by_both((each.id, each.name) for each in catalogue.images)
        self.schema = {
            "name": Property(update=True),
            "flavor": Property(required=True, update=True, read=self._flavor),
            "flavor_update_policy": Property(update=True, default="RESIZE"),
            "image": Property(update=True, read=self._image),
            "image_update_policy": Property(update=True, default="REBUILD"),
            "block_device_mapping_v2": Property(),
            "networks": Property(update=True),
            "metadata": Property(update=True),
            "tags": Property(update=True),
            "user_data": Property(update=True, default=""),
            "user_data_format": Property(default="HEAT_CFNTOOLS"),
            "user_data_update_policy": Property(update=True, default="REPLACE"),
            "config_drive": Property(),
            "key_name": Property(),
            "availability_zone": Property(),
            "admin_pass": Property(update=True),
        }

    def validate(self, name: str, values: Values) -> None:
        """One thing to boot from, as Heat counts: a volume without `boot_index` is one."""
        mapping = values["block_device_mapping_v2"] or ()
        sources = [each for each in mapping if each.get("boot_index") in (None, 0)]
        if not sources and not values["image"]:
            raise invalid(f"Neither image nor bootable volume is specified for instance {name}")
        if mapping and len(sources) + bool(values["image"]) != 1:
            raise invalid(f"Multiple bootable sources for instance {name}.")

    def _flavor(self, name: str, value: Any) -> str:
        if found := self._flavors.get(str(value)):
            return found
        text = f"No Flavor matching {{'name': '{value}'}}. (HTTP 404)"
        raise invalid_property(name, "flavor", f"Error validating value '{value}': {text}")

    def _image(self, name: str, value: Any) -> str:
        if found := self._images.get(str(value)):
            return found
        text = f"No images matching {{'name': '{value}'}}."
        raise invalid_property(name, "image", f"Error validating value '{value}': {text}")


def _by_both(pairs: Any) -> Mapping[str, str]:
    """Ids by id and by name."""
    found: dict[str, str] = {}
    for one, name in pairs:
        found[one] = found[name] = one
    return found
