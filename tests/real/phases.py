"""What the run asks for."""

import msgspec

from handlers.commands import (
    Body,
    CreateInstance,
    DeleteInstance,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.parts import Access, DataVolume, Network
from handlers.resources import PortRange
from handlers.secret import Secret
from tests.contract.managers.place import Site
from tests.real.targets import END, Crossing

TENANT = "real-run"
CREATE = "create"
MYSQL = PortRange("tcp", 3306, 3306)
OLD, NEW = ("10.0.0.0/8", "2001:db8::/32"), ("10.0.0.0/8", "192.168.0.0/16")


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """How every instance must look; None: there is no instance any more."""

    flavor: str
    size: int
    cidrs: tuple[str, ...]


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Commands that every instance gets, in this order."""

    name: str
    bodies: tuple[Body, ...]
    expected: Expected | None


def phases(site: Site) -> tuple[Phase, ...]:
    """The whole run; a new instance belongs to the manager that workers have for new ones then."""
    return (
        Phase(
            name=CREATE,
            bodies=(_create(site),),
            expected=Expected(flavor=site.small, size=1, cidrs=OLD),
        ),
        Phase(
            name="grow the volume, resize up",
            bodies=(
                ResizeVolume(project=TENANT, size=2),
                ResizeInstance(project=TENANT, flavor=site.large),
            ),
            expected=Expected(flavor=site.large, size=2, cidrs=OLD),
        ),
        Phase(
            name="update the rules, resize down",
            bodies=(
                UpdateSecurityGroupRules(project=TENANT, cidrs=NEW),
                ResizeInstance(project=TENANT, flavor=site.small),
            ),
            expected=Expected(flavor=site.small, size=2, cidrs=NEW),
        ),
        Phase(name="delete", bodies=(DeleteInstance(project=TENANT),), expected=None),
    )


#: What the small run keeps: the calls that would hurt most if they were made twice, or never.
SMALL = frozenset(
    {
        Crossing("natives", "instance.create", "server", "after-intent"),
        Crossing("natives", "instance.create", "server", "after-call"),
        Crossing("natives", "volume.resize", "extend", "after-call"),
        Crossing("natives", "instance.resize", "confirm", "after-call"),
        Crossing("natives", "security_group_rules.update", "rules", "after-intent"),
        Crossing("natives", "instance.delete", "servers", "after-call"),
        Crossing("orchestrator", "instance.create", "stack", "after-intent"),
        Crossing("orchestrator", "instance.create", "stack", "after-call"),
        Crossing("orchestrator", "volume.resize", "update-size", "after-call"),
        Crossing("orchestrator", "instance.resize", "update", "after-intent"),
        Crossing("orchestrator", "instance.delete", "stack", "after-call"),
        Crossing("orchestrator", "instance.delete", END, "after-finish"),
    }
)


def _create(site: Site) -> CreateInstance:
    return CreateInstance(
        project=TENANT,
        name="real-run",
        flavor=site.small,
        image=site.image,
        networks=(Network(network=site.management, role="management"), Network(network=site.user)),
        volume=DataVolume(size=1),
        access=Access(ports=(MYSQL,), cidrs=OLD),
        user_data=Secret("#!/bin/sh\n# a planted secret"),
    )
