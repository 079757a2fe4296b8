"""Which values an update gives Heat: all of them only where Heat may keep some that failed."""

from typing import Any

import pytest
from msgspec.structs import replace

from handlers.instance import State
from handlers.operation import Operation
from handlers.steps.stack_trust import SOUND, SoundStack, is_told_all, is_told_little
from tests.unit.stacked import RECORD, operation, seen, stack

DRIFT: dict[str, Any] = {"recorded/server": {"flavor": "large"}}


def looked_at(status: str, state: State = State.ACTIVE, **learned: Any) -> Operation:
    """An operation that has seen its stack in this state."""
    op = operation(replace(RECORD, state=state))
    facts = SoundStack().learn(op, seen(stack(status)))
    return replace(op, learned={**({SOUND: facts} if facts else {}), **learned})


@pytest.mark.parametrize(
    ("op", "told_all"),
    [
        (looked_at("CREATE_COMPLETE"), False),
        (looked_at("UPDATE_COMPLETE"), False),  # by a stranger, perhaps, to another flavor
        (looked_at("UPDATE_FAILED"), True),
        (looked_at("ROLLBACK_COMPLETE"), True),
        (looked_at("CHECK_COMPLETE"), True),  # hides what came before
        (looked_at("UPDATE_COMPLETE", State.ERROR), True),
        (looked_at("UPDATE_FAILED", **DRIFT), False),
        (looked_at("UPDATE_COMPLETE", State.ERROR, **DRIFT), False),
    ],
)
def test_heat_is_given_every_value_only_after_a_failure(op: Operation, told_all: bool) -> None:
    assert is_told_all(op) is told_all
    assert is_told_little(op) is not told_all
