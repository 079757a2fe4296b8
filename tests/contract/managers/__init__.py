"""The manager conformance suite: one set of scenarios, every manager, every cloud.

`table.py` lists the managers: a new one is an entry there, and no scenario is edited. `place.py`
says what a cloud has to offer to be tested on, `bench.py` what a scenario works with, and
`scenarios/` what must hold; `scenarios/stacks.py` is for managers that have stacks. `promises.py`
is looked at after every command that ended well. `test_managers.py` runs all of it, and
`test_suite_rejects.py` shows that broken managers fail.
"""

import pytest

pytest.register_assert_rewrite(
    "tests.contract.managers.bench",
    "tests.contract.managers.inventory",
    "tests.contract.managers.promises",
    "tests.contract.managers.scenarios",
)
