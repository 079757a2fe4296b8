"""Steps that make, read and change a stack, as tables: what is seen, what is to be done."""

from typing import Any

import pytest

from handlers.base import NewStack, Next, StackUpdate, Step
from handlers.errors import Reason, Terminal
from handlers.operation import SECOND
from handlers.resources import Absent, ById, ByIdentity, InFull, Kind, Seen, Server, Service
from handlers.steps.servers import HasFlavor
from handlers.steps.stacks import (
    EnsureStack,
    Members,
    SoundStack,
    UpdateStack,
    failure_of,
    is_stuck,
    minutes_of,
    write_of,
)
from handlers.template import Document
from tests.unit.stacked import DEADLINE, OPENED, SUBJECT, act, operation, seen, server, stack

GONE = Absent(OPENED + SECOND)
DOCUMENT = Document({"resources": {}}, {"resource_registry": {}}, {"flavor": "small"})

MADE = "c1_stack"
KNOWN: dict[str, Any] = {"learned": {"stack": {"id": "k1"}}}
ASKED: dict[str, Any] = {"quiet": {"stack": OPENED}}

ENSURE = EnsureStack(SUBJECT, lambda: DOCUMENT)


def reason_of(step: Any, op: Any, look: Seen) -> Reason:
    """The reason of the Terminal that a check raises."""
    with pytest.raises(Terminal) as caught:
        step.check(op, look)
    return caught.value.reason


# -- EnsureStack ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        (ASKED, ByIdentity(Kind.STACK, SUBJECT)),
        (KNOWN, ById(Kind.STACK, "k1")),
    ],
)
def test_a_stack_is_looked_for_once_it_may_be_there(facts: dict[str, Any], expected: Any) -> None:
    assert ENSURE.wants(operation(None, **facts)) == expected


@pytest.mark.parametrize(
    ("facts", "look", "expected"),
    [
        ({}, GONE, Next.ACT),
        (ASKED, GONE, Next.ACT),
        (ASKED, seen(stack("CREATE_IN_PROGRESS", MADE)), Next.WAIT),
        (KNOWN, seen(stack("CREATE_IN_PROGRESS", MADE)), Next.WAIT),
        (KNOWN, seen(stack("CREATE_COMPLETE", MADE)), Next.DONE),
        (KNOWN, seen(stack("CHECK_IN_PROGRESS", MADE)), Next.WAIT),
        (KNOWN, seen(stack("CHECK_COMPLETE", MADE)), Next.DONE),
        (KNOWN, seen(stack("DELETE_IN_PROGRESS", MADE)), Next.WAIT),
        (ASKED, seen(stack("DELETE_IN_PROGRESS", "another_stack")), Next.WAIT),
        (ASKED, seen(stack("DELETE_IN_PROGRESS")), Next.WAIT),
    ],
)
def test_a_stack_is_made_once_and_waited_for(
    facts: dict[str, Any], look: Seen, expected: Next
) -> None:
    assert ENSURE.check(operation(None, **facts), look) is expected


@pytest.mark.parametrize(
    ("facts", "look", "reason"),
    [
        (KNOWN, GONE, Reason.CLOUD_ERROR),
        (KNOWN, seen(stack("CREATE_FAILED", MADE)), Reason.CLOUD_ERROR),
        (KNOWN, seen(stack("CREATE_FAILED", MADE, reason="Quota exceeded")), Reason.QUOTA),
        (KNOWN, seen(stack("DELETE_FAILED", MADE)), Reason.CLOUD_ERROR),
        (ASKED, seen(stack("CREATE_COMPLETE", "another_stack")), Reason.EXISTS),
        (ASKED, seen(stack("CREATE_COMPLETE", "c1_update")), Reason.EXISTS),
        (ASKED, seen(stack("CREATE_COMPLETE")), Reason.EXISTS),
        (ASKED, seen(stack("DELETE_FAILED")), Reason.EXISTS),
    ],
)
def test_a_stack_that_failed_vanished_or_is_not_ours_ends_the_create(
    facts: dict[str, Any], look: Seen, reason: Reason
) -> None:
    assert reason_of(ENSURE, operation(None, **facts), look) is reason


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (GONE, {}),
        (seen(stack("CREATE_IN_PROGRESS", MADE)), {"id": "k1"}),
        (seen(stack("CREATE_FAILED", MADE)), {"id": "k1"}),
        (seen(stack("CREATE_COMPLETE", "another_stack")), {}),
        (seen(stack("CREATE_COMPLETE")), {}),
    ],
)
def test_only_an_id_of_our_own_stack_is_kept(look: Seen, expected: dict[str, str]) -> None:
    assert ENSURE.learn(operation(None), look) == expected


def test_the_stack_of_a_group_is_written_under_a_key_of_its_own() -> None:
    step = EnsureStack(SUBJECT, lambda: DOCUMENT, key="group-stack")
    op = operation(None, learned={"group-stack": {"id": "k1"}})

    assert step.check(op, seen(stack("CREATE_COMPLETE", "c1_group-stack"))) is Next.DONE
    assert reason_of(step, op, seen(stack("CREATE_COMPLETE", MADE))) is Reason.EXISTS


# -- Members --------------------------------------------------------------------------------------

MEMBERS = Members(SUBJECT, ("server", "port/user-0", "security-group"))
OUTPUTS = {
    "server": "s1",
    "port_user-0": "p1",
    "port_user-0-addresses": [{"subnet_id": "n1", "ip_address": "192.0.2.1"}],
    "security-group": "g1",
}


def told(**changes: Any) -> Seen:
    return seen(stack(write=MADE, outputs={**OUTPUTS, **changes}))


def test_members_are_read_from_the_stack_in_full() -> None:
    expected = InFull(Kind.STACK, "k1", f"trove-{SUBJECT}")

    assert MEMBERS.needs == frozenset({"stack"})
    assert MEMBERS.wants(operation(None, **KNOWN)) == expected


def test_members_are_done_when_every_id_is_told() -> None:
    assert MEMBERS.check(operation(None, **KNOWN), told()) is Next.DONE
    assert MEMBERS.learn(operation(None, **KNOWN), told()) == {
        "resources": {"server": "s1", "port/user-0": "p1", "security-group": "g1"},
        "addresses": ["192.0.2.1"],
    }


@pytest.mark.parametrize(
    "look", [GONE, seen(stack(write=MADE)), told(server=None), told(**{"port_user-0": ""})]
)
def test_members_that_are_not_told_end_the_create(look: Seen) -> None:
    assert reason_of(MEMBERS, operation(None, **KNOWN), look) is Reason.CLOUD_ERROR


def test_a_missing_address_is_no_reason_to_fail() -> None:
    look = told(**{"port_user-0-addresses": None})

    assert MEMBERS.check(operation(None, **KNOWN), look) is Next.DONE
    assert MEMBERS.learn(operation(None, **KNOWN), look)["addresses"] == []


@pytest.mark.parametrize("look", [GONE, seen(stack(write=MADE))])
def test_nothing_is_learned_where_no_outputs_are(look: Seen) -> None:
    assert MEMBERS.learn(operation(None, **KNOWN), look) == {}


# -- SoundStack and UpdateStack -------------------------------------------------------------------

SOUND = SoundStack()
UPDATE = UpdateStack(SUBJECT, {"flavor": "large", "volume_size": 5})
OURS = "c1_update"
THEIRS = "b9_update"

RESTING = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "CHECK_COMPLETE", "UPDATE_FAILED", "CHECK_FAILED")
BUSY = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "CHECK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")


@pytest.mark.parametrize("step", [SOUND, UPDATE])
def test_a_change_begins_with_the_recorded_stack(step: SoundStack | UpdateStack) -> None:
    assert step.wants(operation()) == ById(Kind.STACK, "k1")


@pytest.mark.parametrize("step", [SOUND, UPDATE])
def test_an_instance_without_a_stack_cannot_be_changed(step: SoundStack | UpdateStack) -> None:
    with pytest.raises(Terminal) as caught:
        step.wants(operation(None))

    assert caught.value.reason is Reason.NOT_FOUND


@pytest.mark.parametrize("step", [SOUND, UPDATE])
@pytest.mark.parametrize(
    "look", [GONE, *(seen(stack(f"DELETE_{each}", OURS)) for each in ("IN_PROGRESS", "FAILED"))]
)
def test_a_stack_that_is_gone_or_going_is_an_operators_matter(
    step: SoundStack | UpdateStack, look: Seen
) -> None:
    assert reason_of(step, operation(), look) is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("statuses", "expected"), [(RESTING, Next.DONE), (BUSY, Next.WAIT)], ids=["resting", "busy"]
)
def test_a_stack_is_sound_when_it_rests(statuses: tuple[str, ...], expected: Next) -> None:
    for status in statuses:
        assert SOUND.check(operation(), seen(stack(status, THEIRS))) is expected, status


@pytest.mark.parametrize("write", [OURS, THEIRS, ""])
@pytest.mark.parametrize("status", BUSY)
def test_a_stack_that_is_at_work_is_never_updated(status: str, write: str) -> None:
    assert UPDATE.check(operation(), seen(stack(status, write))) is Next.WAIT


@pytest.mark.parametrize("write", [THEIRS, "c1_restore", ""])
@pytest.mark.parametrize("status", RESTING)
def test_only_our_own_tag_proves_that_an_update_was_accepted(status: str, write: str) -> None:
    assert UPDATE.check(operation(), seen(stack(status, write))) is Next.ACT


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "CHECK_COMPLETE"])
def test_an_update_is_done_when_the_stack_rests_again(status: str) -> None:
    assert UPDATE.check(operation(), seen(stack(status, OURS))) is Next.DONE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.CLOUD_ERROR),
        ("resources.server: No valid host was found", Reason.CLOUD_ERROR),
        ("resources.server: Forbidden: Quota exceeded for cores", Reason.QUOTA),
    ],
)
def test_a_failed_update_ends_for_heats_reason(text: str, reason: Reason) -> None:
    look = seen(stack("UPDATE_FAILED", OURS, reason=text))

    assert reason_of(UPDATE, operation(), look) is reason


def test_a_failed_update_leaves_the_stack_to_look_at() -> None:
    (ref,) = UPDATE.left(operation())

    assert (ref.kind, ref.id, ref.role) == (Kind.STACK, "k1", "stack")
    assert "parameters" in ref.note
    assert UPDATE.left(operation(None)) == ()


def test_what_an_update_came_to_is_kept() -> None:
    assert UPDATE.learn(operation(), seen(stack("UPDATE_FAILED", OURS))) == {
        "status": "UPDATE_FAILED"
    }
    assert UPDATE.learn(operation(), GONE) == {}


@pytest.mark.parametrize("step", [SOUND, MEMBERS, HasFlavor("large")])
def test_a_step_that_only_looks_never_calls(step: Step) -> None:
    with pytest.raises(Terminal) as caught:
        act(step, operation(), seen(stack()))

    assert caught.value.reason is Reason.INTERNAL
    assert (step.left(operation()), step.unique, step.pivot) == ((), False, False)


# -- the calls ------------------------------------------------------------------------------------


def test_a_stack_is_asked_for_with_everything() -> None:
    call, answer = act(ENSURE, operation(None), GONE)

    assert call == (
        "create_stack",
        NewStack(
            subject=SUBJECT,
            template=DOCUMENT.template,
            environment=DOCUMENT.environment,
            parameters=DOCUMENT.parameters,
            write=MADE,
            minutes=30,
        ),
    )
    assert answer.request_id == "req-1"


def test_an_update_names_every_value_that_may_change() -> None:
    op = operation(learned={"update": {"tries": 1}})

    call, answer = act(UPDATE, op, seen(stack("UPDATE_FAILED", THEIRS)))

    change = StackUpdate(
        subject=SUBJECT,
        stack="k1",
        parameters={"flavor": "large", "volume_size": 5},
        write=OURS,
        minutes=30,
    )
    assert call == ("update_stack", change)
    assert (answer.facts, answer.request_id) == ({"tries": 2}, "req-1")


@pytest.mark.parametrize("step", [ENSURE, UPDATE])
def test_a_write_is_never_made_twice_and_can_be_undone(step: Step) -> None:
    assert (step.unique, step.pivot, step.service) == (True, False, Service.ORCHESTRATION)


# -- what steps share -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Quota exceeded for resources: ['port']", Reason.QUOTA),
        (
            "Requested volume or snapshot exceeds allowed gigabytes",
            Reason.QUOTA,
        ),
        ("Maximum number of ports exceeded", Reason.QUOTA),
        ("Went to status ERROR due to: no valid host was found", Reason.CLOUD_ERROR),
        ("Stack UPDATE cancelled", Reason.CLOUD_ERROR),
        ("Timed out", Reason.CLOUD_ERROR),
    ],
)
def test_heats_text_tells_the_reason(text: str, reason: Reason) -> None:
    fault = failure_of(stack("CREATE_FAILED", MADE, reason=text))

    assert (fault.reason, fault.service) == (reason, Service.ORCHESTRATION)
    assert fault.message == f"stack CREATE_FAILED: {text}"


def test_a_failure_without_a_reason_says_so() -> None:
    assert failure_of(stack("UPDATE_FAILED")).message == (
        "stack UPDATE_FAILED: Heat gave no reason"
    )


@pytest.mark.parametrize(("seconds", "expected"), [(1, 1), (60, 1), (61, 2), (1800, 30)])
def test_heat_has_as_many_minutes_as_the_operation(seconds: int, expected: int) -> None:
    assert minutes_of(operation(deadline=OPENED + seconds * SECOND)) == expected


def test_a_write_names_operation_and_step() -> None:
    assert write_of(operation(), "update") == "c1_update"


@pytest.mark.parametrize(
    ("acted", "deadline", "at", "expected"),
    [
        (0, DEADLINE, OPENED + 449 * SECOND, False),  # a quarter of the half hour
        (0, DEADLINE, OPENED + 451 * SECOND, True),
        (OPENED + 400 * SECOND, DEADLINE, OPENED + 451 * SECOND, False),  # counted from the call
        (OPENED + 400 * SECOND, DEADLINE, OPENED + 751 * SECOND, True),
        (0, OPENED + 100 * SECOND, OPENED + 59 * SECOND, False),  # a minute at least
        (0, OPENED + 100 * SECOND, OPENED + 61 * SECOND, True),
    ],
)
def test_heat_is_given_up_after_a_quarter_of_the_time(
    acted: int, deadline: int, at: int, expected: bool
) -> None:
    op = operation(acted=acted, deadline=deadline)

    assert is_stuck(op, seen(stack("UPDATE_IN_PROGRESS", OURS), at=at)) is expected


def test_what_is_gone_is_not_stuck() -> None:
    assert not is_stuck(operation(), Absent(DEADLINE))


# -- HasFlavor ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (server(flavor="large"), Next.DONE),
        (server("SHUTOFF", flavor="large"), Next.DONE),
        (server(task="resize_prep"), Next.WAIT),
        (server("RESIZE", "resize_migrating"), Next.WAIT),
        (server("VERIFY_RESIZE", flavor="large"), Next.WAIT),
        (server("REVERT_RESIZE", flavor="large"), Next.WAIT),
        (server(task="resize_confirming", flavor="large"), Next.WAIT),
    ],
)
def test_the_flavor_is_looked_at_when_the_server_rests(look: Server, expected: Next) -> None:
    assert HasFlavor("large").check(operation(), seen(look)) is expected


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (seen(server()), Reason.CLOUD_ERROR),
        (seen(server("SHUTOFF")), Reason.CLOUD_ERROR),
        (seen(server("ERROR", flavor="large")), Reason.CLOUD_ERROR),
        (GONE, Reason.NOT_FOUND),
    ],
)
def test_what_heat_says_was_done_is_not_believed(look: Seen, reason: Reason) -> None:
    assert reason_of(HasFlavor("large"), operation(), look) is reason


def test_the_flavor_is_the_recorded_servers() -> None:
    assert HasFlavor("large").wants(operation()) == ById(Kind.SERVER, "s1")
    assert HasFlavor("large").learn(operation(), seen(server())) == {}
