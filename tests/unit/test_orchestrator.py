"""The plans of ORCHESTRATOR: which steps, in which order, with which values."""

from typing import Any

import pytest
from msgspec.structs import replace

from handlers.base import Step
from handlers.commands import (
    Body,
    Command,
    CreateInstance,
    CreateSecurityGroup,
    CreateSecurityGroupRules,
    DeleteInstance,
    DeleteSecurityGroup,
    RebootInstance,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Ref, State
from handlers.keys import VOLUME
from handlers.operation import Failure, Operation, Phase
from handlers.orchestrator import RECIPES, Orchestrator
from handlers.parts import Access, DataVolume, Network
from handlers.resources import Kind, PortRange
from handlers.steps.remove import Remove
from handlers.steps.servers import Confirm, Resize
from handlers.steps.stack_members import Members
from handlers.steps.stack_removal import RemoveStack
from handlers.steps.stack_undo import OnlyIf, Restore, SettleServer
from handlers.steps.stacks import EnsureStack, UpdateStack
from tests.unit.stacked import RECORD, SUBJECT, operation

MYSQL = Access(ports=(PortRange("tcp", 3306, 3306),), cidrs=("10.0.0.0/8",))
CREATE = CreateInstance(
    project="tenant",
    name="db",
    flavor="small",
    image="image",
    networks=(Network(network="mgmt", role="management"), Network(network="net")),
    volume=DataVolume(size=5),
    access=MYSQL,
)
GROUP = CreateSecurityGroup(project="tenant", name="reporting", access=MYSQL)
BROKEN = replace(RECORD, state=State.ERROR)
GROUP_RECORD = replace(
    RECORD,
    resources={
        "group-stack": Ref(kind=Kind.STACK, id="k1", role="group-stack"),
        "security-group": Ref(kind=Kind.SECURITY_GROUP, id="g1", role="security-group"),
    },
)

#: Every command that it can do, with the record that it finds.
COMMANDS: list[tuple[Body, Instance | None]] = [
    (CREATE, None),
    (replace(CREATE, volume=None, access=Access()), None),
    (DeleteInstance(project="tenant"), RECORD),
    (DeleteInstance(project="tenant"), None),
    (ResizeInstance(project="tenant", flavor="large"), RECORD),
    (ResizeInstance(project="tenant", flavor="small"), RECORD),
    (ResizeInstance(project="tenant", flavor="small"), BROKEN),
    (ResizeVolume(project="tenant", size=9), RECORD),
    (ResizeVolume(project="tenant", size=5), RECORD),
    (GROUP, None),
    (DeleteSecurityGroup(project="tenant"), GROUP_RECORD),
    (CreateSecurityGroupRules(project="tenant", access=MYSQL), RECORD),
    (UpdateSecurityGroupRules(project="tenant", cidrs=("10.0.0.0/8",)), RECORD),
]
NAMES = [f"{type(body).__name__}-{n}" for n, (body, _) in enumerate(COMMANDS)]

MANAGER = Orchestrator()


def command(body: Body) -> Command:
    return Command(id="c1", subject=SUBJECT, source="test", body=body)


def plan(body: Body, basis: Instance | None = None) -> tuple[Step, ...]:
    return MANAGER.plan(command(body), basis)


def undo(body: Body, basis: Instance | None = None) -> tuple[Step, ...]:
    return MANAGER.undo(command(body), basis)


def order(steps: tuple[Step, ...]) -> dict[str, set[str]]:
    """What each step waits for."""
    return {step.key: set(step.needs) for step in steps}


def only(steps: tuple[Step, ...], key: str) -> Any:
    """The step with this key, unwrapped."""
    (found,) = (step for step in steps if step.key == key)
    return found.step if isinstance(found, OnlyIf) else found


# -- every plan -----------------------------------------------------------------------------------


def test_every_command_of_the_manager_is_in_these_tests() -> None:
    assert {type(body) for body, _ in COMMANDS} == set(RECIPES)


@pytest.mark.parametrize(("body", "basis"), COMMANDS, ids=NAMES)
def test_keys_are_used_once_and_needs_are_there(body: Body, basis: Instance | None) -> None:
    for steps in (plan(body, basis), undo(body, basis)):
        keys = [step.key for step in steps]
        assert len(set(keys)) == len(keys)
        for place, step in enumerate(steps):
            assert step.needs <= set(keys[:place]), step.key


@pytest.mark.parametrize(("body", "basis"), COMMANDS, ids=NAMES)
def test_a_plan_is_the_same_every_time(body: Body, basis: Instance | None) -> None:
    for make in (plan, undo):
        assert order(make(body, basis)) == order(make(body, basis))


def test_what_it_cannot_do_is_unsupported() -> None:
    with pytest.raises(Terminal) as caught:
        plan(RebootInstance(project="tenant"), RECORD)

    assert caught.value.reason is Reason.UNSUPPORTED


# -- create and delete ----------------------------------------------------------------------------


def test_a_create_is_a_stack_its_members_a_look_at_the_server_and_rules() -> None:
    steps = plan(CREATE)

    assert order(steps) == {
        "stack": set(),
        "members": {"stack"},
        "rules": {"verify"},
        "verify": {"members"},
    }
    stack, members = only(steps, "stack"), only(steps, "members")
    assert isinstance(stack, EnsureStack)
    assert isinstance(members, Members)
    assert members.members == (
        "server",
        "volume/data",
        "port/management-0",
        "port/user-0",
        "security-group",
    )
    assert stack.document().parameters["volume_size"] == 5


def test_a_create_without_access_and_volume_has_neither() -> None:
    steps = plan(replace(CREATE, volume=None, access=Access()))

    assert "rules" not in order(steps)
    assert "volume/data" not in only(steps, "members").members


def test_the_way_back_of_a_create_removes_natively_whatever_heat_left() -> None:
    steps = undo(CREATE)

    assert order(steps) == {
        "stack": set(),
        "server": {"stack"},
        "volume/data": {"server"},
        "port/management-0": {"server"},
        "port/user-0": {"server"},
        "security-group": {"server", "port/management-0", "port/user-0"},
        "stack-rest": {"volume/data", "security-group"},
    }
    removals = [step for step in steps if isinstance(step, Remove)]
    assert {(step.maker, step.everything) for step in removals} == {("stack", False)}
    assert {step.key for step in removals} == set(only(plan(CREATE), "members").members)
    assert not only(steps, "stack").everything


@pytest.mark.parametrize("basis", [RECORD, None])
def test_a_delete_asks_heat_then_the_services_then_heat_again(basis: Instance | None) -> None:
    steps = plan(DeleteInstance(project="tenant"), basis)

    assert order(steps) == {
        "stack": set(),
        "servers": {"stack"},
        "volumes": {"servers"},
        "ports": {"servers"},
        "security-groups": {"ports"},
        "stack-rest": {"servers", "volumes", "ports", "security-groups"},
    }
    first, rest = only(steps, "stack"), only(steps, "stack-rest")
    assert isinstance(first, RemoveStack)
    assert (first.everything, rest.rest_of) == (True, "stack")
    assert undo(DeleteInstance(project="tenant"), basis) == ()


# -- resize ---------------------------------------------------------------------------------------

LOOKS = {
    "sound-stack": set[str](),
    "recorded/server": {"sound-stack"},
    "recorded/volume/data": {"sound-stack"},
    "recorded/port/user-0": {"sound-stack"},
    "recorded/security-group": {"sound-stack"},
}


def test_a_resize_looks_repairs_drift_updates_and_looks_again() -> None:
    steps = plan(ResizeInstance(project="tenant", flavor="large"), RECORD)

    assert order(steps) == {
        **LOOKS,
        "align": set(LOOKS),
        "aligned": {"align"},
        "runs": {"aligned"},
        "update": {"runs"},
        "finish": {"update"},
        "finished": {"update", "finish"},
        "verify": {"finish", "finished"},
    }
    align, aligned = only(steps, "align"), only(steps, "aligned")
    assert isinstance(align, Resize)
    assert isinstance(aligned, Confirm)
    assert (align.flavor, aligned.flavor, only(steps, "runs").flavor) == ("small",) * 3
    assert only(steps, "verify").flavor == "large"
    assert not any(step.pivot for step in steps)


def test_an_update_names_the_recorded_values_beside_the_new_one() -> None:
    flavor = plan(ResizeInstance(project="tenant", flavor="large"), RECORD)
    size = plan(ResizeVolume(project="tenant", size=9), RECORD)
    diskless = {key: ref for key, ref in RECORD.resources.items() if key != VOLUME}
    basis = replace(RECORD, resources=diskless, volume_size=0)
    without = plan(ResizeInstance(project="tenant", flavor="large"), basis)

    assert only(flavor, "update").parameters == {"flavor": "large", "volume_size": 5}
    assert only(size, "update").parameters == {"flavor": "small", "volume_size": 9}
    assert only(without, "update").parameters == {"flavor": "large"}


@pytest.mark.parametrize(
    ("body", "basis", "expected"),
    [
        (ResizeInstance(project="tenant", flavor="small"), RECORD, False),
        (ResizeInstance(project="tenant", flavor="small"), BROKEN, True),
        (ResizeVolume(project="tenant", size=5), RECORD, False),
        (ResizeVolume(project="tenant", size=5), BROKEN, True),
    ],
)
def test_what_is_recorded_already_is_told_to_heat_only_after_a_failure(
    body: Body, basis: Instance, expected: bool
) -> None:
    assert ("update" in order(plan(body, basis))) is expected


def test_the_way_back_of_a_resize_stops_settles_restores_and_looks() -> None:
    steps = undo(ResizeInstance(project="tenant", flavor="large"), RECORD)

    assert order(steps) == {
        "align": set(),
        "finish": set(),
        "update": set(),
        "settle": {"update", "finish"},
        "restore": {"settle"},
        "realign": {"restore"},
        "realigned": {"realign"},
    }
    restore = only(steps, "restore")
    assert isinstance(restore, Restore)
    assert restore.parameters == {"flavor": "small", "volume_size": 5}
    assert isinstance(only(steps, "align"), SettleServer)
    assert only(steps, "realign").flavor == only(steps, "realigned").flavor == "small"


def test_nothing_of_the_way_back_is_looked_at_when_nothing_was_done() -> None:
    steps = undo(ResizeInstance(project="tenant", flavor="large"), RECORD)
    op = operation(phase=Phase.UNDO)

    assert [step.wants(op) for step in steps] == [None] * len(steps)
    assert [step.left(op) for step in steps] == [()] * len(steps)


def test_a_server_on_its_way_to_the_recorded_flavor_is_not_forgotten() -> None:
    align, *others = undo(ResizeInstance(project="tenant", flavor="large"), RECORD)
    op = operation(phase=Phase.UNDO, learned={"align": {"accepted": "small"}})

    assert align.wants(op) is not None
    assert [step.wants(op) for step in others] == [None] * len(others)


def test_a_volume_is_extended_before_heat_is_told() -> None:
    steps = plan(ResizeVolume(project="tenant", size=9), RECORD)

    assert order(steps) == {
        **LOOKS,
        "trusted": set(LOOKS),
        "extend": {"trusted"},
        "update": {"extend"},
        "update-size": {"extend"},
    }
    update = only(steps, "update")
    assert isinstance(update, UpdateStack)
    assert update.tells == "extend"
    assert undo(ResizeVolume(project="tenant", size=9), RECORD) == ()


# -- security groups ------------------------------------------------------------------------------


def test_a_group_of_its_own_is_a_stack_with_a_key_of_its_own() -> None:
    assert order(plan(GROUP)) == {
        "group-stack": set(),
        "members": {"group-stack"},
        "rules": {"members"},
    }
    assert order(undo(GROUP)) == {
        "group-stack": set(),
        "security-group": {"group-stack"},
        "stack-rest": {"security-group"},
    }
    assert order(plan(DeleteSecurityGroup(project="tenant"), GROUP_RECORD)) == {
        "group-stack": set(),
        "security-groups": {"group-stack"},
        "stack-rest": {"security-groups"},
    }


# -- records --------------------------------------------------------------------------------------

CREATED: dict[str, Any] = {
    "stack": {"id": "k1"},
    "members": {"resources": {"server": "s1", "security-group": "g1"}, "addresses": ["192.0.2.1"]},
}


def ended(body: Body, basis: Instance | None, phase: Phase, **facts: Any) -> Operation:
    failure = Failure(reason=Reason.CLOUD_ERROR, message="no") if phase is Phase.FAILED else None
    return operation(basis, body, phase=phase, failure=failure, manager="orchestrator", **facts)


def test_a_created_instance_is_recorded_with_its_stack_and_members() -> None:
    record = MANAGER.record(ended(CREATE, None, Phase.SUCCEEDED, learned=CREATED))

    assert record is not None
    assert {key: (ref.kind, ref.id) for key, ref in record.resources.items()} == {
        "stack": (Kind.STACK, "k1"),
        "server": (Kind.SERVER, "s1"),
        "security-group": (Kind.SECURITY_GROUP, "g1"),
    }
    assert (record.manager, record.flavor, record.volume_size) == ("orchestrator", "small", 5)


@pytest.mark.parametrize(
    ("phase", "facts", "expected"),
    [
        (Phase.SUCCEEDED, {"done": frozenset({"extend", "update"})}, 9),
        (Phase.FAILED, {"done": frozenset({"extend"}), "learned": {"extend": {"size": 9}}}, 9),
        (Phase.FAILED, {"learned": {"extend": {"size": 5}}}, 5),
    ],
)
def test_a_volume_that_was_extended_is_recorded_so_whatever_heat_said(
    phase: Phase, facts: dict[str, Any], expected: int
) -> None:
    record = MANAGER.record(ended(ResizeVolume(project="tenant", size=9), RECORD, phase, **facts))

    assert record is not None
    assert record.volume_size == expected


def test_a_deleted_instance_is_a_tombstone() -> None:
    record = MANAGER.record(ended(DeleteInstance(project="tenant"), RECORD, Phase.SUCCEEDED))

    assert record is not None
    assert (record.state, record.resources) == (State.DELETED, {})
