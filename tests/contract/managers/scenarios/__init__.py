"""What must hold for every manager on every cloud: one function per fact, its name says it."""

from collections.abc import Callable

from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.contract.managers.bench import Bench
from tests.contract.managers.scenarios import (
    create,
    delete,
    failures,
    flavors,
    foreign,
    groups,
    moves,
    moves_refused,
    refusals,
    stacks,
    volumes,
)
from tests.contract.managers.table import MOVER

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
    *moves.SCENARIOS,
    *moves_refused.SCENARIOS,
)

#: For managers that have stacks.
STACK_SCENARIOS: tuple[Scenario, ...] = stacks.SCENARIOS

#: MIGRATION plans no command but the moves: its instances are those of the managers that the other
#: columns are about. These show once that each command comes to the right one.
_SHOWN_BY_MIGRATION: frozenset[Scenario] = frozenset(
    {
        create.an_instance_has_everything_that_was_asked_for,
        groups.a_group_of_its_own_lives_its_life,
        foreign.what_trove_made_is_resized_recorded_and_then_known,
        refusals.what_the_manager_cannot_do_ends_as_unsupported,
    }
)

#: How an instance moves does not depend on who is the default: both ways are shown for each.
_SHOWN_BY_ALL = moves.what_was_adopted_is_released_and_lives_on_without_a_stack

#: Heat tries five times to make a server or volume, which takes it two minutes.
_TRIED_BY_HEAT: frozenset[Scenario] = frozenset(
    {failures.a_server_that_goes_to_error_is_undone, failures.a_volume_that_goes_to_error_is_undone}
)

_BREADTH = stacks.BREADTH | moves.BREADTH | moves_refused.BREADTH

_MOVES: frozenset[Scenario] = frozenset((*moves.SCENARIOS, *moves_refused.SCENARIOS))


def is_breadth(manager: str, scenario: Scenario) -> bool:
    """Whether it takes minutes on a real OpenStack, where it shows no command that others do not
    show there."""
    if scenario in _BREADTH or (manager == ORCHESTRATOR and scenario in _TRIED_BY_HEAT):
        return True
    if scenario in _MOVES:
        return manager != MOVER and scenario is not _SHOWN_BY_ALL
    return manager == MOVER and scenario not in _SHOWN_BY_MIGRATION
