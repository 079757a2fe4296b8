"""What must hold for every manager on every cloud: one function per fact, its name says it."""

from collections.abc import Callable

from tests.contract.managers.bench import Bench
from tests.contract.managers.scenarios import (
    create,
    delete,
    failures,
    flavors,
    foreign,
    groups,
    refusals,
    stacks,
    volumes,
)

Scenario = Callable[[Bench], None]

#: For every manager.
SCENARIOS: tuple[Scenario, ...] = (
    *create.SCENARIOS,
    *failures.SCENARIOS,
    *delete.SCENARIOS,
    *volumes.SCENARIOS,
    *flavors.SCENARIOS,
    *groups.SCENARIOS,
    *foreign.SCENARIOS,
    *refusals.SCENARIOS,
)

#: For managers that have stacks.
STACK_SCENARIOS: tuple[Scenario, ...] = stacks.SCENARIOS

#: Those of them that take minutes on a real OpenStack, where they show no command that the others
#: do not show.
BREADTH: frozenset[Scenario] = stacks.BREADTH
