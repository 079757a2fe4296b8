"""What a scenario is, and the commands that scenarios are made of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from handlers.clouds.memory import Catalogue
from handlers.clouds.memory.faults import FaultRule, Refuse
from handlers.clouds.memory.settings import Abilities
from handlers.commands import (
    Body,
    CreateInstance,
    CreateSecurityGroup,
    CreateSecurityGroupRules,
    DeleteInstance,
    DeleteSecurityGroup,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason
from handlers.parts import Access, DataVolume, NamedResources, Network
from handlers.resources import PortRange
from handlers.secret import Secret

PROJECT = "tenant"

#: Travels as user data, and must never be seen again.
SECRET = "planted-secret-7f3a"

MYSQL = PortRange("tcp", 3306, 3306)
ADMIN = PortRange("tcp", 33060, 33061)
OLD, KEPT, NEW = "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"

CATALOGUE = Catalogue()

Named = NamedResources | None


class Start(Enum):
    """What is there before the command comes."""

    NOTHING = "nothing"
    INSTANCE = "instance"  # made by the same worker, and recorded
    GROUP = "group"  # a security group of its own
    FOREIGN = "foreign"  # made by Trove: the ledger does not know it, the command names it
    STRANGER = "stranger"  # the same, but the volume that the command names is somebody else's
    DRIFTED = "drifted"  # an instance whose server somebody gave another flavor
    OCCUPIED = "occupied"  # somebody's stack has the name that ours would have
    MISLED = "misled"  # an instance of whose stack somebody's update has failed
    NATIVE = "native"  # an instance without a stack
    IMPORTED = "imported"  # made by Trove, and recorded: its volume goes with its server
    TAKEN = "taken"  # native, and somebody's stack has the name that its own would have
    SOAKING = "soaking"  # imported and adopted, not committed
    ADOPTED = "adopted"  # imported, adopted and committed
    STACKED = "stacked"  # an instance that was made as a stack


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A command, what is there before, and what drives it into its way back, if anything.

    `refused`: these managers must refuse it, and touch nothing. `fails`: undisturbed, it ends with
    this reason, and leaves nothing. `abilities` are those of the services. `harmful`: Heat says
    that its next update would replace the server.
    """

    name: str
    start: Start
    body: Callable[[Named], Body]
    after: Callable[[Named], Body]  # another command for the same subject
    always: tuple[FaultRule, ...] = ()
    refused: frozenset[str] = frozenset()
    fails: Reason | None = None
    abilities: Abilities = field(default_factory=Abilities)
    harmful: bool = False

    def delete(self, named: Named) -> Body:
        """The delete that may come in between."""
        if isinstance(self.body(None), CreateSecurityGroup) or self.start is Start.GROUP:
            return DeleteSecurityGroup(project=PROJECT)
        return DeleteInstance(project=PROJECT, resources=named)


def create_instance(named: Named = None) -> CreateInstance:
    return CreateInstance(
        project=PROJECT,
        name="db",
        flavor="2",
        image=CATALOGUE.images[0].id,
        networks=(
            Network(network=CATALOGUE.networks[1].id),
            Network(network=CATALOGUE.networks[0].id, role="management"),
        ),
        volume=DataVolume(size=2),
        access=Access(ports=(MYSQL, ADMIN), cidrs=(OLD, KEPT)),
        user_data=Secret(f"#cloud-config password={SECRET}"),
    )


def create_group(named: Named = None) -> CreateSecurityGroup:
    return CreateSecurityGroup(
        project=PROJECT, name="web", access=Access(ports=(MYSQL, ADMIN), cidrs=(OLD, KEPT))
    )


def delete(named: Named) -> Body:
    return DeleteInstance(project=PROJECT, resources=named)


def delete_group(named: Named) -> Body:
    return DeleteSecurityGroup(project=PROJECT)


def resize(flavor: str) -> Callable[[Named], Body]:
    return lambda named: ResizeInstance(project=PROJECT, flavor=flavor, resources=named)


def grow(named: Named) -> Body:
    return ResizeVolume(project=PROJECT, size=5, resources=named)


def add_rules(named: Named) -> Body:
    access = Access(ports=(MYSQL,), cidrs=(KEPT, NEW))
    return CreateSecurityGroupRules(project=PROJECT, access=access, resources=named)


def update_rules(named: Named) -> Body:
    return UpdateSecurityGroupRules(project=PROJECT, cidrs=(KEPT, NEW), resources=named)


def refused(verb: str, status: int, times: int = 1) -> FaultRule:
    refuse = Refuse(status=status, message="the policy forbids it", code="forbidden")
    return FaultRule(effect=refuse, verb=verb, times=times)
