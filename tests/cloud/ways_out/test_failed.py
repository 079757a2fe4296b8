"""Stacks that Heat says have failed, or were rolled back."""

import pytest

from handlers.commands import ResizeInstance, ResizeVolume
from handlers.errors import Reason
from tests.cloud.ways_out.conftest import Stage
from tests.contract.managers.bench import TENANT
from tests.contract.managers.orders import DELETE


def _bigger(flavor: str) -> ResizeInstance:
    return ResizeInstance(project=TENANT, flavor=flavor)


@pytest.mark.breadth
@pytest.mark.way(
    state="ROLLBACK_COMPLETE",
    made="somebody cancels our update, with rollback",
    exit="fails; the old values are given again",
)
def test_an_update_that_somebody_rolls_back_has_not_happened(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    ways.operator.marks(before.server.id, delay="1")
    command = ways.bench.send(subject, _bigger(ways.site.large))
    ways.operator.waits(lambda: ways.operator.begun(before.server.id, "resize"))
    ways.operator.rolls_back(before.stack)
    ways.took(ways.bench.ended_badly(command, Reason.CLOUD_ERROR))
    ways.operator.unmarks(before.server.id, "delay")
    ways.is_resized_back(subject, before)
    ways.bench.succeed(subject, ResizeVolume(project=TENANT, size=2))
    ways.goes_on(subject, before)


@pytest.mark.way(
    state="ROLLBACK_FAILED",
    made="somebody cancels our update, and the rollback fails",
    exit="fails; the server is reset, the old values are given again",
)
def test_a_rollback_that_fails_is_repaired(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    ways.operator.marks(before.server.id, delay="1", fail="resize")
    command = ways.bench.send(subject, _bigger(ways.site.large))
    ways.operator.waits(lambda: ways.operator.begun(before.server.id, "resize"))
    ways.operator.rolls_back(before.stack)
    ways.took(ways.bench.ended_badly(command, Reason.CLOUD_ERROR, "cloudfake: resize"))
    ways.operator.unmarks(before.server.id, "delay", "fail")
    ways.is_as_before(subject, before)
    ways.goes_on(subject, before)


@pytest.mark.breadth
@pytest.mark.way(
    state="CHECK_FAILED",
    made="Heat was asked to check it while the server was in ERROR",
    exit="fails and names the stack: Heat would replace the server; an operator's check that passes"
    " cures it",
)
def test_a_check_that_failed_is_told_to_the_operator_who_can_cure_it(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    ways.operator.sets_state(before.server.id, "error")
    assert ways.operator.checks(before.stack) == "CHECK_FAILED"
    ways.operator.sets_state(before.server.id, "active")
    done = ways.bench.fail_leaving(
        subject, _bigger(ways.site.large), Reason.CLOUD_ERROR, [before.stack.id], "restricted"
    )
    ways.took(done)
    ways.is_as_before(subject, before)
    assert ways.operator.checks(before.stack) == "CHECK_COMPLETE"
    ways.goes_on(subject, before)


@pytest.mark.way(
    state="DELETE_FAILED",
    made="the host cannot destroy the server, for a while",
    exit="after two tries the services delete what the stack owned, then Heat the stack",
)
def test_a_delete_that_heat_gave_up_is_finished_natively(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    ways.operator.marks(before.server.id, fail="destroy")
    command = ways.bench.send(subject, DELETE)
    ways.bench.wait_for_step(command, "servers")
    ways.operator.heals()
    ways.took(ways.bench.ended_well(command))
    ways.nothing_is_left()


@pytest.mark.breadth
@pytest.mark.way(
    state="DELETE_FAILED",
    made="the host cannot destroy the server, for good",
    exit="fails at its deadline and names what is left; once the host works, a delete ends well",
)
def test_a_delete_that_nobody_can_finish_says_what_is_left(stage: Stage) -> None:
    ways = stage(delete=30)
    subject, before = ways.create()
    ways.operator.marks(before.server.id, fail="destroy")
    ways.took(ways.bench.fail_leaving(subject, DELETE, Reason.DEADLINE, before.ids))
    ways.operator.heals()
    ways.ends(subject)


@pytest.mark.breadth
@pytest.mark.way(
    state="DELETE_FAILED",
    made="a foreign port uses the security group; it goes when Heat has given up",
    exit="Heat is asked again",
)
def test_a_group_that_was_in_use_goes_with_the_second_try(stage: Stage) -> None:
    ways = stage(delete=240)
    subject, before = ways.create()
    port = ways.operator.makes_port(ways.site.user, before.group.id)
    command = ways.bench.send(subject, DELETE)
    ways.bench.wait_until(lambda: ways.operator.status(before.stack) == "DELETE_FAILED")
    ways.operator.removes_port(port)
    ways.took(ways.bench.ended_well(command))
    ways.nothing_is_left()


@pytest.mark.breadth
@pytest.mark.way(
    state="CREATE_IN_PROGRESS",
    made="the host is too slow for the deadline",
    exit="the stack is deleted while Heat creates it",
)
def test_a_create_that_takes_too_long_leaves_nothing(stage: Stage) -> None:
    ways = stage(create=8)
    body = ways.instance(**{"cloudfake:delay": "12"})
    ways.took(ways.bench.fail(ways.bench.subject(), body, Reason.DEADLINE))
    ways.nothing_is_left()


@pytest.mark.breadth
@pytest.mark.way(
    state="UPDATE_IN_PROGRESS",
    made="the host is too slow for the deadline",
    exit="Heat comes to its end, then the old values are given again",
)
def test_an_update_that_takes_too_long_is_set_back(stage: Stage) -> None:
    ways = stage(resize=6)
    subject, before = ways.create()
    ways.operator.marks(before.server.id, delay="6")
    command = ways.bench.send(subject, _bigger(ways.site.large))
    ways.bench.wait_for_step(command, "update")
    ways.operator.waits(lambda: ways.operator.begun(before.server.id, "resize"))
    ways.took(ways.bench.ended_badly(command, Reason.DEADLINE))
    ways.operator.unmarks(before.server.id, "delay")
    ways.is_resized_back(subject, before)
    ways.ends(subject)
