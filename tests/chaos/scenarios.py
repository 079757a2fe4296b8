"""The scenarios: every command of every manager, on what it is about, and every way back."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from msgspec.structs import replace

from handlers.base import ResourceManager
from handlers.clouds.memory import Catalogue
from handlers.clouds.memory.faults import FaultRule, Outcome, Refuse, Spoil
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
from handlers.migration import NAME as MIGRATION
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.parts import Access, DataVolume, NamedResources, Network
from handlers.registry import managers
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


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A command, what is there before, and what drives it into its way back, if anything.

    `refused`: these managers must refuse it, and touch nothing.
    """

    name: str
    start: Start
    body: Callable[[Named], Body]
    after: Callable[[Named], Body]  # another command for the same subject
    always: tuple[FaultRule, ...] = ()
    refused: frozenset[str] = frozenset()

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


def _delete(named: Named) -> Body:
    return DeleteInstance(project=PROJECT, resources=named)


def _delete_group(named: Named) -> Body:
    return DeleteSecurityGroup(project=PROJECT)


def _resize(flavor: str) -> Callable[[Named], Body]:
    return lambda named: ResizeInstance(project=PROJECT, flavor=flavor, resources=named)


def _grow(named: Named) -> Body:
    return ResizeVolume(project=PROJECT, size=5, resources=named)


def _add_rules(named: Named) -> Body:
    access = Access(ports=(MYSQL,), cidrs=(KEPT, NEW))
    return CreateSecurityGroupRules(project=PROJECT, access=access, resources=named)


def _update_rules(named: Named) -> Body:
    return UpdateSecurityGroupRules(project=PROJECT, cidrs=(KEPT, NEW), resources=named)


def _refused(verb: str, status: int, times: int = 1) -> FaultRule:
    refuse = Refuse(status=status, message="the policy forbids it", code="forbidden")
    return FaultRule(effect=refuse, verb=verb, times=times)


_BOTH = frozenset({NATIVES, ORCHESTRATOR})

#: Heat makes a server anew that went to ERROR, five times: for good only the sixth is.
_NO_HOST = FaultRule(effect=Spoil(Outcome.NO_HOST), verb="create_server", times=1)
_NOWHERE = replace(_NO_HOST, times=6)
_OVER_QUOTA = FaultRule(effect=Refuse(quota=True), verb="create_port", times=1)
_ON_HOST = FaultRule(effect=Spoil(Outcome.ERROR), verb="resize_server", times=1)

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="create", start=Start.NOTHING, body=create_instance, after=_resize("3")),
        Scenario(
            name="create-undone",
            start=Start.NOTHING,
            body=create_instance,
            after=create_instance,
            always=(_NO_HOST,),
        ),
        Scenario(
            name="create-nowhere",
            start=Start.NOTHING,
            body=create_instance,
            after=create_instance,
            always=(_NOWHERE,),
        ),
        Scenario(
            name="create-refused",
            start=Start.NOTHING,
            body=create_instance,
            after=create_instance,
            always=(_OVER_QUOTA,),
        ),
        Scenario(
            name="create-occupied",
            start=Start.OCCUPIED,
            body=create_instance,
            after=create_instance,
            refused=frozenset({ORCHESTRATOR}),
        ),
        Scenario(name="delete", start=Start.INSTANCE, body=_delete, after=_delete),
        Scenario(
            name="delete-refused",  # by Heat twice: then natively
            start=Start.INSTANCE,
            body=_delete,
            after=_delete,
            always=(_refused("delete_port", 500, times=4),),
        ),
        Scenario(name="resize-up", start=Start.INSTANCE, body=_resize("3"), after=_update_rules),
        Scenario(name="resize-down", start=Start.INSTANCE, body=_resize("1"), after=_grow),
        Scenario(
            name="resize-undone",
            start=Start.INSTANCE,
            body=_resize("3"),
            after=_resize("1"),
            always=(_refused("confirm_resize", 403),),
        ),
        Scenario(
            name="resize-broken",
            start=Start.INSTANCE,
            body=_resize("3"),
            after=_grow,
            always=(_ON_HOST,),
        ),
        Scenario(
            name="resize-drifted", start=Start.DRIFTED, body=_resize("3"), after=_update_rules
        ),
        Scenario(
            name="resize-drifted-undone",
            start=Start.DRIFTED,
            body=_resize("3"),
            after=_grow,
            always=(_ON_HOST,),
        ),
        Scenario(name="resize-misled", start=Start.MISLED, body=_resize("3"), after=_grow),
        Scenario(name="grow-misled", start=Start.MISLED, body=_grow, after=_resize("3")),
        Scenario(name="volume-resize", start=Start.INSTANCE, body=_grow, after=_resize("3")),
        Scenario(name="group-create", start=Start.NOTHING, body=create_group, after=_update_rules),
        Scenario(
            name="group-create-undone",
            start=Start.NOTHING,
            body=create_group,
            after=create_group,
            always=(_refused("create_rules", 400),),
        ),
        Scenario(name="group-delete", start=Start.GROUP, body=_delete_group, after=_update_rules),
        Scenario(name="rules-create", start=Start.GROUP, body=_add_rules, after=_update_rules),
        Scenario(name="rules-update", start=Start.INSTANCE, body=_update_rules, after=_add_rules),
        Scenario(
            name="rules-update-undone",
            start=Start.GROUP,
            body=_update_rules,
            after=_add_rules,
            always=(_refused("delete_rule", 403),),
        ),
        Scenario(name="foreign-delete", start=Start.FOREIGN, body=_delete, after=_delete),
        Scenario(name="foreign-resize", start=Start.FOREIGN, body=_resize("3"), after=_grow),
        Scenario(name="foreign-volume-resize", start=Start.FOREIGN, body=_grow, after=_resize("1")),
        Scenario(name="foreign-rules", start=Start.FOREIGN, body=_update_rules, after=_delete),
        Scenario(
            name="stranger-delete", start=Start.STRANGER, body=_delete, after=_delete, refused=_BOTH
        ),
        Scenario(
            name="stranger-grow",
            start=Start.STRANGER,
            body=_grow,
            after=_resize("3"),
            refused=_BOTH,
        ),
    )
}


class Case(NamedTuple):
    """A scenario in a deployment whose new instances get this manager."""

    manager: str
    scenario: str

    def __str__(self) -> str:
        return f"{self.manager}-{self.scenario}"


#: The managers that make things. MIGRATION has these make them, and only moves what lives.
ENGINES: tuple[ResourceManager, ...] = tuple(each for each in managers() if each.name != MIGRATION)

#: Every scenario on every one of them.
CASES: tuple[Case, ...] = tuple(Case(engine.name, name) for engine in ENGINES for name in SCENARIOS)
