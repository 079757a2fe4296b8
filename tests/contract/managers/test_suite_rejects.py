"""The suite sees what it is there to see: each broken manager fails in the scenario that is named.

And the matrix sees what nobody tested.
"""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from handlers import registry
from handlers.base import ResourceManager
from handlers.commands import BODIES
from tests.contract.managers.bench import Bench
from tests.contract.managers.liars import ENDINGS, is_found_out
from tests.contract.managers.memory import MemoryPlace
from tests.contract.managers.move_mutants import CREDULOUS, MOVE_MUTANTS
from tests.contract.managers.mutants import MUTANTS
from tests.contract.managers.orders import samples
from tests.contract.managers.stack_mutants import STACK_MUTANTS
from tests.contract.managers.table import MANAGERS
from tests.support.matrix import Matrix, MatrixPlugin, Measure

WRONG = {**MUTANTS, **STACK_MUTANTS, **MOVE_MUTANTS}


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_a_broken_manager_is_rejected(wrong: str) -> None:
    broken, scenario = WRONG[wrong]
    bench = Bench(MemoryPlace(lambda: _among_others(broken)), MANAGERS[broken.name])
    with pytest.raises(AssertionError):
        scenario(bench)


@pytest.mark.parametrize("wrong", sorted(ENDINGS))
def test_what_heat_does_wrong_is_found_out(wrong: str) -> None:
    is_found_out(wrong)


@pytest.mark.parametrize("wrong", sorted(CREDULOUS))
def test_a_manager_that_believes_heat_is_rejected(wrong: str) -> None:
    broken, lie = CREDULOUS[wrong]
    with pytest.raises(AssertionError):
        is_found_out(lie, lambda: _among_others(broken))


def _among_others(broken: ResourceManager) -> Iterable[ResourceManager]:
    others = (each for each in registry.managers() if each.name != broken.name)
    return (broken, *others)


def test_there_is_a_sample_of_every_command() -> None:
    assert set(samples(MemoryPlace().site)) == set(BODIES.values())


def _measure(command: str, outcome: str = "done") -> Measure:
    return Measure(
        manager="natives",
        cloud="memory",
        command=command,
        outcome=outcome,
        seconds=1.5,
        calls=3,
        changes=1,
    )


def test_the_matrix_misses_a_command_that_nobody_ran() -> None:
    matrix = Matrix(("instance.create", "instance.fly"))
    matrix.add(_measure("instance.create"), passed=True)
    assert matrix.missing() == ["instance.fly of natives on memory"]
    assert list(matrix.lines())[2:] == [
        "| instance.create | ✓ 1×, 1.5 s, 3 calls (1 changes) |",
        "| instance.fly | missing |",
    ]


def test_a_command_that_was_only_refused_is_missing() -> None:
    matrix = Matrix(("instance.create",))
    matrix.add(_measure("instance.create", "refused"), passed=True)
    assert matrix.missing() == ["instance.create of natives on memory"]


def test_a_command_in_a_test_that_failed_is_crossed_out() -> None:
    matrix = Matrix(("instance.create", "instance.adopt"))
    matrix.add(_measure("instance.create"), passed=True)
    matrix.add(_measure("instance.create"), passed=False)
    matrix.add(_measure("instance.adopt", "unsupported"), passed=True)
    assert list(matrix.lines())[2:] == [
        "| instance.create | ✗ |",
        "| instance.adopt | ✓ unsupported |",
    ]


@pytest.mark.parametrize(("whole", "verdict"), [(True, 1), (False, 0)])
def test_a_whole_run_fails_when_a_command_is_missing(whole: bool, verdict: int) -> None:
    """A run of chosen tests does not: it never meant to be complete."""
    matrix = Matrix(("instance.create", "instance.fly"))
    matrix.add(_measure("instance.create"), passed=True)
    session: Any = SimpleNamespace(exitstatus=0)
    MatrixPlugin(matrix, whole=whole).pytest_sessionfinish(session)
    assert session.exitstatus == verdict
