"""A fleet moves while workers die, clients go on and operators change their minds.

`make chaos` plays many more seeds.
"""

import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.fleet_checks import play, problems_of

BATCH = 10


@pytest.mark.parametrize("first", range(0, 60, BATCH))
def test_every_instance_ends_somewhere_unharmed(first: int) -> None:
    wrong = {seed: play(seed) for seed in range(first, first + BATCH)}

    assert not any(wrong.values()), {seed: found for seed, found in wrong.items() if found}


#: Releases that were called back when their stacks were gone: the instances are native.
CALLED_BACK = (26, 37, 53, 1029)


@pytest.mark.parametrize("seed", CALLED_BACK)
def test_an_item_tells_where_its_instance_is(seed: int) -> None:
    assert play(seed) == []


def test_the_same_seed_goes_the_same_way_twice() -> None:
    once, twice = Fleet(7), Fleet(7)
    once.play()
    twice.play()

    assert once.kills == twice.kills > 0
    assert once.items == twice.items


def test_what_is_wrong_with_a_fleet_is_seen() -> None:
    fleet = Fleet(7)
    fleet.play()
    assert problems_of(fleet) == []

    fleet.state.core.stacks.clear()
    fleet.state.core.servers.clear()
    fleet.crowds.append("9 instances move at once")
    fleet.world.published.clear()

    seen = {each.partition(":")[0] for each in problems_of(fleet)}
    assert {"limits_hold", "no_command_is_lost", "nothing_is_harmed"} <= seen
