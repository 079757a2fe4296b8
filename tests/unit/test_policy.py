"""The numbers of the policy."""

import pytest

from consumer.policy import Policy
from handlers.commands import AdoptInstance, Body, Command, RebootInstance, ReleaseInstance
from handlers.operation import SECOND

POLICY = Policy(limit=900 * SECOND, limits={"instance.adopt": 300 * SECOND})


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (RebootInstance(project="p"), 900),
        (AdoptInstance(project="p"), 300),
        (AdoptInstance(project="p", max_freeze=120), 120),
        (AdoptInstance(project="p", max_freeze=3600), 300),
        (ReleaseInstance(project="p"), 900),
        (ReleaseInstance(project="p", max_freeze=60), 60),
    ],
)
def test_a_command_takes_no_longer_than_its_limit_nor_its_longest_freeze(
    body: Body, seconds: int
) -> None:
    command = Command(id="c1", subject="s1", source="test", body=body)
    assert POLICY.limit_of(command) == seconds * SECOND
