"""The manager conformance suite: one set of scenarios, every manager, every cloud.

`table.py` lists the managers: a new one is an entry there, and no scenario is edited. `place.py`
says what a cloud has to offer to be tested on, `bench.py` what a scenario works with, and
`scenarios/` what must hold. tests/contract/test_managers.py runs all of it.
"""

import pytest

pytest.register_assert_rewrite(
    "tests.contract.managers.bench",
    "tests.contract.managers.inventory",
    "tests.contract.managers.scenarios",
)
