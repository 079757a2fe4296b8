"""Commits and releases that are made to fail, on the real Heat, and stacks that somebody deletes.
Every time server, volume, ports and group are what they were.

At the end of each test the instance is resized and deleted, and nothing may be left.
"""

import pytest
from msgspec.structs import replace

from handlers.base import Answer, Cloud
from handlers.commands import ResizeInstance
from handlers.errors import Reason
from handlers.orders import StackUpdate
from tests.cloud.ways_out.moving import ADOPT, RELEASE, SOAK, Move
from tests.contract.managers.bench import TENANT


@pytest.mark.way(
    state="stack missing",
    made="somebody deleted it while the adoption soaked",
    exit="nothing else is gone; commit and changes fail as `not_found`, a release makes it native",
)
def test_a_soaking_stack_that_somebody_deleted_is_left_by_a_release(move: Move) -> None:
    move.succeeds(SOAK)
    move.is_adopted(soaking=True)
    move.somebody.deletes_stack(move.stack)
    move.is_unharmed()
    move.fails(ADOPT, Reason.NOT_FOUND, "instance.release")
    bigger = ResizeInstance(project=TENANT, flavor=move.ways.site.large)
    move.fails(bigger, Reason.NOT_FOUND, "instance.release")
    move.ways.took(move.succeeds(RELEASE))
    move.is_native()


@pytest.mark.way(
    state="UPDATE_FAILED",
    made="Heat holds the server for ill when an adoption is committed",
    exit="Heat looks again, and the commit goes on",
)
def test_a_commit_that_heat_refuses_is_tried_again_after_a_check(move: Move) -> None:
    move.succeeds(SOAK)
    _is_held_for_ill(move)
    move.ways.took(move.succeeds(ADOPT))
    move.is_adopted()


@pytest.mark.breadth
@pytest.mark.way(
    state="UPDATE_FAILED",
    made="Heat holds the server for ill when the instance is released",
    exit="Heat looks again, and the release goes on",
)
def test_a_release_that_heat_refuses_is_tried_again_after_a_check(move: Move) -> None:
    move.succeeds(ADOPT)
    _is_held_for_ill(move)
    move.ways.took(move.succeeds(RELEASE))
    move.is_native()


@pytest.mark.way(
    state="UPDATE_FAILED",
    made="an adoption is committed, and Heat fails each time",
    exit="fails; the stack is let go of, the instance stays native",
)
def test_an_adoption_whose_commit_fails_stays_native(move: Move) -> None:
    _fails_to_commit(move)
    move.stays_native(ADOPT, Reason.CLOUD_ERROR, "UPDATE_FAILED")


@pytest.mark.breadth
@pytest.mark.way(
    state="UPDATE_FAILED",
    made="a soaking adoption is committed later, and Heat fails each time",
    exit="fails; the stack retains everything again; the next commit works",
)
def test_a_later_commit_that_fails_soaks_on(move: Move) -> None:
    move.succeeds(SOAK)
    _fails_to_commit(move)
    move.ways.took(move.fails(ADOPT, Reason.CLOUD_ERROR, "UPDATE_FAILED"))
    move.is_adopted(soaking=True)
    move.tampered.calls.clear()
    move.succeeds(ADOPT)
    move.is_adopted()


@pytest.mark.breadth
@pytest.mark.way(
    state="stack missing",
    made="somebody deletes it while it is released",
    exit="everything was retained already; the release ends well",
)
def test_a_release_whose_stack_somebody_deletes_ends_well(move: Move) -> None:
    move.succeeds(ADOPT)
    move.tampered.once("delete_stack", lambda: move.somebody.deletes_stack(move.stack))
    move.ways.took(move.succeeds(RELEASE))
    move.is_native()


def _is_held_for_ill(move: Move) -> None:
    """Heat looked while the server was in ERROR; from then on it would replace it."""
    move.is_ill()
    assert move.operator.checks(move.stack) == "CHECK_FAILED"
    move.is_well()


def _fails_to_commit(move: Move) -> None:
    """Each update that takes Retain away would replace the server too, which is forbidden."""

    def update(cloud: Cloud, change: StackUpdate) -> Answer:
        commits = change.write.endswith("commit")
        values = {**change.parameters, "config_drive": commits}
        return cloud.update_stack(replace(change, parameters=values))

    move.tampered.calls["update_stack"] = update
