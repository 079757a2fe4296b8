"""The resource types that this Heat knows."""

from collections.abc import Mapping

from handlers.clouds.memory.orchestration.kinds.attachments import VolumeAttachments
from handlers.clouds.memory.orchestration.kinds.base import ResourceKind
from handlers.clouds.memory.orchestration.kinds.groups import SecurityGroups
from handlers.clouds.memory.orchestration.kinds.ports import Ports
from handlers.clouds.memory.orchestration.kinds.servers import Servers
from handlers.clouds.memory.orchestration.kinds.volumes import Volumes
from handlers.clouds.memory.orchestration.natives import Natives

Kinds = Mapping[str, ResourceKind]


def all_kinds(natives: Natives) -> Kinds:
    """Every type by its name."""
    kinds: tuple[ResourceKind, ...] = (
        SecurityGroups(natives),
        Ports(natives),
        Volumes(natives),
        VolumeAttachments(natives),
        Servers(natives),
    )
    return {kind.type: kind for kind in kinds}
