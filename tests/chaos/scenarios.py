"""The scenarios: every command of every manager, on what it is about, and every way back."""

from typing import NamedTuple

from msgspec.structs import replace

from handlers.base import ResourceManager
from handlers.clouds.memory.faults import FaultRule, Outcome, Refuse, Spoil
from handlers.migration import NAME as MIGRATION
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.registry import managers
from tests.chaos.move_scenarios import MOVES
from tests.chaos.scenario import (
    Scenario,
    Start,
    add_rules,
    create_group,
    create_instance,
    delete,
    delete_group,
    grow,
    refused,
    resize,
    update_rules,
)

_BOTH = frozenset({NATIVES, ORCHESTRATOR})

#: Heat makes a server anew that went to ERROR, five times: for good only the sixth is.
_NO_HOST = FaultRule(effect=Spoil(Outcome.NO_HOST), verb="create_server", times=1)
_NOWHERE = replace(_NO_HOST, times=6)
_OVER_QUOTA = FaultRule(effect=Refuse(quota=True), verb="create_port", times=1)
_ON_HOST = FaultRule(effect=Spoil(Outcome.ERROR), verb="resize_server", times=1)

_MADE: tuple[Scenario, ...] = (
    Scenario(name="create", start=Start.NOTHING, body=create_instance, after=resize("3")),
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
    Scenario(name="delete", start=Start.INSTANCE, body=delete, after=delete),
    Scenario(
        name="delete-refused",  # by Heat twice: then natively
        start=Start.INSTANCE,
        body=delete,
        after=delete,
        always=(refused("delete_port", 500, times=4),),
    ),
    Scenario(name="resize-up", start=Start.INSTANCE, body=resize("3"), after=update_rules),
    Scenario(name="resize-down", start=Start.INSTANCE, body=resize("1"), after=grow),
    Scenario(
        name="resize-undone",
        start=Start.INSTANCE,
        body=resize("3"),
        after=resize("1"),
        always=(refused("confirm_resize", 403),),
    ),
    Scenario(
        name="resize-broken",
        start=Start.INSTANCE,
        body=resize("3"),
        after=grow,
        always=(_ON_HOST,),
    ),
    Scenario(name="resize-drifted", start=Start.DRIFTED, body=resize("3"), after=update_rules),
    Scenario(
        name="resize-drifted-undone",
        start=Start.DRIFTED,
        body=resize("3"),
        after=grow,
        always=(_ON_HOST,),
    ),
    Scenario(name="resize-misled", start=Start.MISLED, body=resize("3"), after=grow),
    Scenario(name="grow-misled", start=Start.MISLED, body=grow, after=resize("3")),
    Scenario(name="volume-resize", start=Start.INSTANCE, body=grow, after=resize("3")),
    Scenario(name="group-create", start=Start.NOTHING, body=create_group, after=update_rules),
    Scenario(
        name="group-create-undone",
        start=Start.NOTHING,
        body=create_group,
        after=create_group,
        always=(refused("create_rules", 400),),
    ),
    Scenario(name="group-delete", start=Start.GROUP, body=delete_group, after=update_rules),
    Scenario(name="rules-create", start=Start.GROUP, body=add_rules, after=update_rules),
    Scenario(name="rules-update", start=Start.INSTANCE, body=update_rules, after=add_rules),
    Scenario(
        name="rules-update-undone",
        start=Start.GROUP,
        body=update_rules,
        after=add_rules,
        always=(refused("delete_rule", 403),),
    ),
    Scenario(name="foreign-delete", start=Start.FOREIGN, body=delete, after=delete),
    Scenario(name="foreign-resize", start=Start.FOREIGN, body=resize("3"), after=grow),
    Scenario(name="foreign-volume-resize", start=Start.FOREIGN, body=grow, after=resize("1")),
    Scenario(name="foreign-rules", start=Start.FOREIGN, body=update_rules, after=delete),
    Scenario(
        name="stranger-delete", start=Start.STRANGER, body=delete, after=delete, refused=_BOTH
    ),
    Scenario(
        name="stranger-grow",
        start=Start.STRANGER,
        body=grow,
        after=resize("3"),
        refused=_BOTH,
    ),
)

SCENARIOS: dict[str, Scenario] = {each.name: each for each in (*_MADE, *MOVES)}


class Case(NamedTuple):
    """A scenario in a deployment whose new instances get this manager."""

    manager: str
    scenario: str

    def __str__(self) -> str:
        return f"{self.manager}-{self.scenario}"


#: Every manager; MIGRATION makes nothing, and has moves only.
ENGINES: tuple[ResourceManager, ...] = managers()

#: Every scenario on every one that does it.
CASES: tuple[Case, ...] = tuple(
    Case(engine.name, each.name)
    for engine in ENGINES
    for each in (MOVES if engine.name == MIGRATION else _MADE)
)
