"""Every manager does what it promises, on every cloud."""

import pytest

from tests.contract.managers.bench import Bench
from tests.contract.managers.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", [pytest.param(each, id=each.__name__) for each in SCENARIOS])
def test_manager(bench: Bench, scenario: Scenario) -> None:
    scenario(bench)
