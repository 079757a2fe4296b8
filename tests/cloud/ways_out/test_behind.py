"""What was done behind Heat's back, and what others do while Heat works for us."""

import pytest

from handlers.commands import ResizeInstance, ResizeVolume, UpdateSecurityGroupRules
from handlers.errors import Reason
from tests.cloud.ways_out.conftest import Stage
from tests.contract.managers.bench import TENANT
from tests.contract.managers.orders import DELETE, MYSQL


def _resize(flavor: str) -> ResizeInstance:
    return ResizeInstance(project=TENANT, flavor=flavor)


@pytest.mark.way(
    state="server in ERROR",
    made="Nova says so of a server at rest",
    exit="fails with Nova's fault, Heat is not asked: it would replace the server",
)
def test_a_server_in_error_is_not_given_to_heat(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    ways.operator.sets_state(before.server.id, "error")
    done = ways.took(ways.bench.fail(subject, _resize(ways.site.large), Reason.CLOUD_ERROR))
    assert done.changes == 0
    ways.operator.sets_state(before.server.id, "active")
    ways.is_as_before(subject, before)
    ways.goes_on(subject, before)


@pytest.mark.way(
    state="server SHUTOFF",
    made="somebody stopped it",
    exit="a resize is refused: Heat could not tell that it was confirmed",
)
def test_a_stopped_server_is_not_given_to_heat(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    ways.operator.stops(before.server.id)
    done = ways.bench.fail(subject, _resize(ways.site.large), Reason.REFUSED, "SHUTOFF")
    assert ways.took(done).changes == 0
    ways.operator.starts(before.server.id)
    ways.is_as_before(subject, before)
    ways.goes_on(subject, before)


@pytest.mark.way(
    state="port missing",
    made="somebody deleted it natively",
    exit="Heat does not notice; a delete ends well",
)
def test_a_port_that_somebody_deleted_does_not_disturb_a_delete(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    ways.operator.removes_port(before.port.id)
    ways.took(ways.bench.succeed(subject, DELETE))
    ways.nothing_is_left()


@pytest.mark.way(
    state="rules differ",
    made="somebody removed a rule",
    exit="rules are none of Heat's business: the update looks, and makes what is missing",
)
def test_rules_that_somebody_removed_are_made_again(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    for rule in before.group.rules.values():
        ways.operator.removes_rule(rule)
    update = UpdateSecurityGroupRules(project=TENANT, cidrs=("10.0.0.0/8",), ports=(MYSQL,))
    ways.took(ways.bench.succeed(subject, update))
    assert set(ways.bench.look().group.rules) == set(before.group.rules)
    ways.ends(subject)


@pytest.mark.way(
    state="UPDATE_IN_PROGRESS",
    made="a delete arrives",
    exit="the update ends as superseded, Heat deletes the stack at once",
)
def test_a_delete_does_not_wait_for_an_update(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    command = ways.bench.send(subject, _resize(ways.site.large))
    ways.bench.wait_for_step(command, "update")
    delete = ways.bench.send(subject, DELETE)
    event = ways.bench.ended(command).event.data
    assert event.error is not None and event.error.reason is Reason.SUPERSEDED
    left = {before.server.id, before.stack.id}
    assert {each.id for each in event.left_behind} == left, "the deletion takes them"
    ways.took(ways.bench.ended_well(delete))
    ways.nothing_is_left()


@pytest.mark.breadth
@pytest.mark.way(
    state="update superseded",
    made="a stranger updates the stack while Heat works for us",
    exit="Nova is asked for the flavor that was wanted; the next resize tells Heat",
)
def test_a_strangers_update_does_not_win(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    ways.operator.marks(before.server.id, delay="1")
    command = ways.bench.send(subject, _resize(ways.site.large))
    ways.operator.waits(lambda: ways.operator.begun(before.server.id, "resize"))
    ways.operator.somebody.begins_update(before.stack, flavor=ways.site.huge)
    done = ways.took(ways.bench.ended(command))
    assert done.event.data.error is None
    assert ways.of(subject).server.flavor == ways.site.large
    ways.operator.unmarks(before.server.id, "delay")
    grown = ways.bench.ended(ways.bench.send(subject, ResizeVolume(project=TENANT, size=2)))
    assert grown.event.data.error is None, "Heat is told nothing of the flavor"
    ways.bench.succeed(subject, _resize(ways.site.small))
    assert ways.of(subject).ids == before.ids
    ways.ends(subject)


@pytest.mark.way(
    state="trust missing",
    made="Keystone has lost what Heat acts with",
    exit="Heat makes another one with the token of the next write; a delete needs none",
)
def test_a_stack_without_a_trust_gets_another(stage: Stage) -> None:
    ways = stage()
    subject, before = ways.create()
    ways.operator.loses_trusts()
    ways.took(ways.bench.succeed(subject, _resize(ways.site.large)))
    assert ways.of(subject).ids == before.ids
    ways.operator.loses_trusts()
    ways.ends(subject)
