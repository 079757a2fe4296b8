"""What every manager promises holds while a fleet migrates beside it."""

import time
from collections.abc import Callable

import pytest

from consumer.fleet.conductor import Conductor
from consumer.ledger.base import Ledger
from consumer.telemetry.base import Silent
from tests.contract.managers.memory import MemoryPlace
from tests.contract.managers.mixed import mixed
from tests.contract.managers.place import Place
from tests.contract.managers.scenarios import (
    SCENARIOS,
    STACK_SCENARIOS,
    Scenario,
    create,
    moves,
    moves_refused,
    stacks,
)

#: All but the one that counts requests, which are not its own here.
ALL = [
    each for each in (*SCENARIOS, *STACK_SCENARIOS) if each is not stacks.a_life_costs_few_requests
]


@pytest.mark.parametrize("scenario", ALL, ids=lambda each: each.__name__)
def test_all_of_it_holds_while_a_fleet_migrates(scenario: Scenario) -> None:
    place = MemoryPlace()

    def conductor(ledger: Ledger) -> Callable[[], bool]:
        made = Conductor(ledger, worker="worker-0", clock=place.clock, telemetry=Silent())
        return made.tick

    with mixed(place, place.clock.now, conductor) as bench:
        scenario(bench)


#: What is shown with real workers: all that is made, an instance that moves itself meanwhile, and
#: one of whose commands has to wait.
SAMPLE = (
    moves.what_natives_made_lives_on_in_a_stack,
    pytest.param(create.an_instance_has_everything_that_was_asked_for, marks=pytest.mark.breadth),
    pytest.param(
        moves_refused.a_command_waits_for_an_adoption_that_is_open, marks=pytest.mark.breadth
    ),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SAMPLE, ids=lambda each: each.__name__)
@pytest.mark.parametrize(
    "place", ["simulator", pytest.param("openstack", marks=pytest.mark.cloud)], indirect=True
)
def test_a_sample_of_it_holds_with_real_workers(place: Place, scenario: Scenario) -> None:
    """Their own conductor carries the migration on."""
    with mixed(place, lambda: time.time_ns() // 1000, size=2) as bench:
        scenario(bench)
