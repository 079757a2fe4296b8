"""Steps that make, read and change a stack, as tables: what is seen, what is to be done."""

from typing import Any

import pytest

from handlers.base import Next
from handlers.errors import Reason, Terminal
from handlers.operation import SECOND
from handlers.orders import NewStack
from handlers.resources import Absent, ById, ByIdentity, InFull, Kind, Seen, Service
from handlers.steps.stack_members import Members
from handlers.steps.stack_state import failure_of, is_stuck, minutes_of, write_of
from handlers.steps.stacks import EnsureStack
from handlers.template import Document
from tests.unit.stacked import (
    DEADLINE,
    OPENED,
    SUBJECT,
    act,
    operation,
    reason_of,
    seen,
    stack,
)

GONE = Absent(OPENED + SECOND)
DOCUMENT = Document({"resources": {}}, {"resource_registry": {}}, {"flavor": "small"})

MADE = "c1_stack"
KNOWN: dict[str, Any] = {"learned": {"stack": {"id": "k1"}}}
ASKED: dict[str, Any] = {"quiet": {"stack": OPENED}}

ENSURE = EnsureStack(SUBJECT, lambda: DOCUMENT)


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
    op = operation(None)

    assert step.check(op, seen(stack("CREATE_COMPLETE", "c1_group-stack"))) is Next.DONE
    assert reason_of(step, op, seen(stack("CREATE_COMPLETE", MADE))) is Reason.EXISTS


def test_a_stack_of_ours_stays_ours_when_somebodys_update_took_its_mark() -> None:
    op = operation(None, learned={"stack": {"id": "k1"}})

    assert ENSURE.check(op, seen(stack("UPDATE_COMPLETE"))) is Next.DONE
    assert ENSURE.learn(op, seen(stack("UPDATE_COMPLETE"))) == {"id": "k1"}


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


def test_a_stack_is_never_made_twice_and_can_be_undone() -> None:
    assert (ENSURE.unique, ENSURE.pivot, ENSURE.service) == (True, False, Service.ORCHESTRATION)


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


def test_members_are_only_looked_at() -> None:
    with pytest.raises(Terminal) as caught:
        act(MEMBERS, operation(), told())

    assert caught.value.reason is Reason.INTERNAL
    assert (MEMBERS.left(operation()), MEMBERS.unique, MEMBERS.pivot) == ((), False, False)


# -- what steps share -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Conflict: resources.p: Quota exceeded for resources: ['port']", Reason.QUOTA),
        ("resources.v: Requested volume or snapshot exceeds allowed gigabytes quota", Reason.QUOTA),
        ("Maximum number of ports exceeded (HTTP 403)", Reason.QUOTA),
        ("Went to status ERROR due to: no valid host was found", Reason.CLOUD_ERROR),
        ("Stack UPDATE cancelled", Reason.CLOUD_ERROR),
        ("Timed out", Reason.CLOUD_ERROR),
        ("BadRequest: resources.server: Invalid key_name (HTTP 400)", Reason.REFUSED),
        ("Forbidden: resources.port: not yours (HTTP 403)", Reason.REFUSED),
        ("NotFound: resources.server: no such image (HTTP 404)", Reason.NOT_FOUND),
        ("Conflict: resources.server: busy (HTTP 409)", Reason.CLOUD_ERROR),
        ("", Reason.CLOUD_ERROR),
    ],
)
def test_heats_text_tells_the_reason(text: str, reason: Reason) -> None:
    fault = failure_of(stack("CREATE_FAILED", MADE, reason=text))

    assert (fault.reason, fault.service) == (reason, Service.ORCHESTRATION)
    assert fault.message == f"stack CREATE_FAILED: {text or 'Heat gave no reason'}"


def test_heats_text_tells_the_request_that_another_service_refused() -> None:
    request = "req-6f0e1d2c-3b4a-4958-8776-655443322110"
    text = f"Forbidden: resources.port: no (HTTP 403) (Request-ID: {request})"

    assert failure_of(stack("CREATE_FAILED", MADE, reason=text)).request_id == request
    assert failure_of(stack("CREATE_FAILED", MADE, reason="Timed out")).request_id is None


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

    assert is_stuck(op, seen(stack("UPDATE_IN_PROGRESS", "c1_update"), at=at)) is expected


def test_what_is_gone_is_not_stuck() -> None:
    assert not is_stuck(operation(), Absent(DEADLINE))
