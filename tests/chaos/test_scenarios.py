"""The suite is about every command, and can be told apart from one that sees nothing."""

import pytest

from handlers.natives import RECIPES
from tests.chaos.play import play
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.schedule import Do, Schedule, Strike, decode, encode


def test_every_command_of_natives_has_a_scenario() -> None:
    played = {type(scenario.body(None)) for scenario in SCENARIOS.values()}

    assert played == set(RECIPES)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_undisturbed_nothing_goes_wrong(scenario: str) -> None:
    outcome = play(Schedule(scenario=scenario))

    assert not outcome.problems, str(outcome)
    assert not outcome.stage.crossings.struck


def test_the_same_schedule_goes_the_same_way_twice() -> None:
    strike = Strike(at="in-call", step="server", do=Do.CRASH)
    schedule = Schedule(scenario="create", seed=7, workers=2, strikes=(strike,))

    once, twice = play(schedule).stage, play(schedule).stage

    assert once.crossings.trace == twice.crossings.trace
    assert once.look(once.subject) == twice.look(twice.subject)


def test_a_schedule_survives_being_written_down() -> None:
    strike = Strike(at="after-save", since="rules", do=Do.PAUSE, seconds=3.5)
    schedule = Schedule(scenario="rules-update", seed=3, strikes=(strike,), lag=3.0)

    assert decode(encode(schedule)) == schedule
