"""Every manager does what it promises, on every cloud."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.contract.managers.bench import Bench
from tests.contract.managers.scenarios import SCENARIOS, STACK_SCENARIOS, Scenario, is_breadth
from tests.contract.managers.table import MANAGERS, Manager


def _cells(scenarios: Iterable[Scenario], managers: Iterable[Manager]) -> list[Any]:
    return [
        pytest.param(manager.name, scenario, id=_name(manager, scenario), marks=marks)
        for manager in managers
        for scenario in scenarios
        for marks in [[pytest.mark.breadth] if is_breadth(manager.name, scenario) else []]
    ]


def _name(manager: Manager, scenario: Scenario) -> str:
    return f"{manager.name}-{scenario.__name__}"


BOTH = ("manager", "scenario")


@pytest.mark.parametrize(BOTH, _cells(SCENARIOS, MANAGERS.values()), indirect=["manager"])
def test_manager(bench: Bench, scenario: Scenario) -> None:
    scenario(bench)


WITH_STACKS = [each for each in MANAGERS.values() if each.stacks]


@pytest.mark.parametrize(BOTH, _cells(STACK_SCENARIOS, WITH_STACKS), indirect=["manager"])
def test_stacks(bench: Bench, scenario: Scenario) -> None:
    scenario(bench)
