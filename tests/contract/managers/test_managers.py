"""Every manager does what it promises, on every cloud."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.contract.managers.bench import Bench
from tests.contract.managers.scenarios import BREADTH, SCENARIOS, STACK_SCENARIOS, Scenario
from tests.contract.managers.table import MANAGERS


def _named(scenarios: Iterable[Scenario]) -> list[Any]:
    return [pytest.param(each, id=each.__name__, marks=_marks(each)) for each in scenarios]


def _marks(scenario: Scenario) -> list[pytest.MarkDecorator]:
    return [pytest.mark.breadth] if scenario in BREADTH else []


@pytest.mark.parametrize("scenario", _named(SCENARIOS))
def test_manager(bench: Bench, scenario: Scenario) -> None:
    scenario(bench)


@pytest.mark.parametrize(
    "manager", [name for name, each in sorted(MANAGERS.items()) if each.stacks], indirect=True
)
@pytest.mark.parametrize("scenario", _named(STACK_SCENARIOS))
def test_stacks(bench: Bench, scenario: Scenario) -> None:
    scenario(bench)
