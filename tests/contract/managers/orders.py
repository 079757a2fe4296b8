"""Commands that scenarios send."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from handlers.commands import (
    AdoptInstance,
    Body,
    ConfirmResize,
    CreateInstance,
    CreateSecurityGroup,
    CreateSecurityGroupRules,
    DeleteInstance,
    DeleteSecurityGroup,
    MigrateInstance,
    RebootInstance,
    RebuildInstance,
    ReleaseInstance,
    ResizeInstance,
    ResizeVolume,
    RevertResize,
    UpdateAccess,
    UpdateSecurityGroupRules,
)
from handlers.parts import Access, DataVolume, Network
from handlers.resources import PortRange
from tests.contract.managers.bench import TENANT
from tests.contract.managers.place import Site

MYSQL = PortRange("tcp", 3306, 3306)
REPLICATION = PortRange("tcp", 33060, 33070)
DNS = PortRange("udp", 53, 53)

ANYBODY = Access(ports=(MYSQL,), cidrs=("10.0.0.0/8",))

DELETE = DeleteInstance(project=TENANT)


def instance(site: Site, **more: Any) -> CreateInstance:
    """A small instance: one user port, one data volume of 1 GiB, MySQL open to 10.0.0.0/8."""
    body = CreateInstance(
        project=TENANT,
        name="contract",
        flavor=site.small,
        image=site.image,
        networks=(Network(network=site.user),),
        volume=DataVolume(size=1),
        access=ANYBODY,
    )
    return replace(body, **more)


def samples(site: Site) -> Mapping[type[Body], Body]:
    """One of every command, each of which makes sense on a small instance."""
    bodies: tuple[Body, ...] = (
        instance(site),
        DELETE,
        ResizeInstance(project=TENANT, flavor=site.large),
        ResizeVolume(project=TENANT, size=2),
        CreateSecurityGroup(project=TENANT, name="group", access=ANYBODY),
        DeleteSecurityGroup(project=TENANT),
        CreateSecurityGroupRules(project=TENANT, access=Access(ports=(DNS,), cidrs=("::/0",))),
        UpdateSecurityGroupRules(project=TENANT, cidrs=("192.168.0.0/16",)),
        UpdateAccess(project=TENANT, is_public=True),
        MigrateInstance(project=TENANT),
        RebootInstance(project=TENANT),
        RebuildInstance(project=TENANT, image=site.image),
        ConfirmResize(project=TENANT),
        RevertResize(project=TENANT),
        AdoptInstance(project=TENANT),
        ReleaseInstance(project=TENANT),
    )
    return {type(body): body for body in bodies}
