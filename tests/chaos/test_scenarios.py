"""The suite is about every command of every manager, and can be told apart from one that sees
nothing."""

from collections.abc import Iterator

import pytest

from consumer.codec.documents.samples import COMMANDS
from handlers.base import ResourceManager
from handlers.commands import Body
from handlers.errors import Reason, Terminal
from tests.chaos.play import play
from tests.chaos.probe import BY_HEAT
from tests.chaos.scenario import Start
from tests.chaos.scenarios import CASES, ENGINES, SCENARIOS, Case
from tests.chaos.schedule import Do, Schedule, Strike, decode, encode


def _done_by(engine: ResourceManager) -> Iterator[type[Body]]:
    """The commands that a manager can do."""
    for command in COMMANDS.values():
        try:
            engine.plan(command, None)
        except Terminal as fault:
            if fault.reason is Reason.UNSUPPORTED:
                continue
        yield type(command.body)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_every_command_of_a_manager_has_a_case(engine: ResourceManager) -> None:
    own = (SCENARIOS[case.scenario] for case in CASES if case.manager == engine.name)
    played = {type(each.body(None)) for each in own if each.start not in FOREIGN}

    assert set(_done_by(engine)) == played


#: What Trove made stays with NATIVES, whatever the deployment says.
FOREIGN = (Start.FOREIGN, Start.STRANGER)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_undisturbed_nothing_goes_wrong(case: Case) -> None:
    outcome = play(Schedule(manager=case.manager, scenario=case.scenario))

    assert not outcome.problems, str(outcome)
    assert not outcome.stage.crossings.struck


@pytest.mark.parametrize("case", CASES, ids=str)
def test_who_does_it_is_as_the_record_says(case: Case) -> None:
    stage = play(Schedule(manager=case.manager, scenario=case.scenario)).stage

    op = stage.ledger.operation(stage.command.id)
    foreign = stage.scenario.start in FOREIGN
    assert op is not None
    assert op.manager == ("natives" if foreign else case.manager)


def test_the_same_schedule_goes_the_same_way_twice() -> None:
    strike = Strike(at="in-call", step="server", do=Do.CRASH)
    schedule = Schedule(scenario="create", seed=7, workers=2, strikes=(strike,))

    once, twice = play(schedule).stage, play(schedule).stage

    assert once.crossings.trace == twice.crossings.trace
    assert once.look(once.subject) == twice.look(twice.subject)


def test_a_stack_goes_the_same_way_twice() -> None:
    strike = Strike(at=BY_HEAT, step="create_server", do=Do.ENGINE, seconds=5.0)
    schedule = Schedule(
        manager="orchestrator", scenario="create", seed=7, workers=2, strikes=(strike,)
    )

    once, twice = play(schedule).stage, play(schedule).stage

    assert once.crossings.struck
    assert once.crossings.trace == twice.crossings.trace
    assert once.look(once.subject) == twice.look(twice.subject)


def test_a_schedule_survives_being_written_down() -> None:
    strike = Strike(at="after-save", since="rules", do=Do.PAUSE, seconds=3.5)
    schedule = Schedule(
        manager="orchestrator", scenario="rules-update", seed=3, strikes=(strike,), lag=3.0
    )

    assert decode(encode(schedule)) == schedule
