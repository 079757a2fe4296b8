"""The count of what a cloud run leaves behind."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import cast

import pytest

from tests.support.leftovers import Inventory, Leftovers


class Looks:
    """Answers with one inventory after the other; the last one stays."""

    def __init__(self, *answers: Iterable[str]) -> None:
        self._answers = [frozenset(answer) for answer in answers]

    def __call__(self) -> Inventory:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def run(looks: Looks, status: int = 0) -> tuple[Inventory, int]:
    plugin = Leftovers(looks, grace=3, sleep=lambda seconds: None)
    session = SimpleNamespace(exitstatus=pytest.ExitCode(status))
    plugin.pytest_sessionstart()
    plugin.pytest_sessionfinish(cast(pytest.Session, session))
    return plugin.left, session.exitstatus


def test_what_was_there_before_is_not_left_behind() -> None:
    assert run(Looks({"server a"})) == (frozenset(), 0)


def test_what_goes_within_the_grace_is_not_left_behind() -> None:
    assert run(Looks(set(), {"server a"}, {"server a"}, set())) == (frozenset(), 0)


def test_what_stays_fails_the_run_and_is_named() -> None:
    assert run(Looks(set(), {"server a"})) == (frozenset({"server a"}), 1)


def test_a_run_that_failed_anyway_keeps_its_status() -> None:
    assert run(Looks(set(), {"server a"}), status=2)[1] == 2
