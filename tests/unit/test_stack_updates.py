"""Steps that change a stack, and look at what came of it, as tables."""

import pytest

from handlers.base import Next, Step
from handlers.errors import Reason, Terminal
from handlers.operation import SECOND, Operation
from handlers.orders import StackUpdate
from handlers.resources import Absent, ById, Kind, Seen, Server, Service
from handlers.steps.recorded import recorded
from handlers.steps.servers import HasFlavor
from handlers.steps.stack_trust import SoundStack
from handlers.steps.stack_verdict import Resized
from handlers.steps.stacks import UpdateStack
from tests.unit.stacked import (
    DEADLINE,
    OPENED,
    RECORD,
    REFS,
    SUBJECT,
    act,
    operation,
    reason_of,
    seen,
    server,
    stack,
)

GONE = Absent(OPENED + SECOND)
MADE = "c1_stack"


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


EXPLAINED = UpdateStack(SUBJECT, {"flavor": "large"}, explained=True)
TELLS = UpdateStack(SUBJECT, {"volume_size": 9}, tells="extend")


def test_a_failure_that_a_later_step_explains_is_left_to_it() -> None:
    failed = seen(stack("UPDATE_FAILED", OURS, reason="no valid host"))

    assert EXPLAINED.check(operation(), failed) is Next.DONE
    assert EXPLAINED.learn(operation(), failed) == {
        "status": "UPDATE_FAILED",
        "reason": "no valid host",
    }
    assert EXPLAINED.learn(operation(), GONE) == {}


@pytest.mark.parametrize(
    ("step", "op", "expected"),
    [
        (UPDATE, operation(), False),
        (UPDATE, operation(quiet={"update": OPENED}), True),
        (UPDATE, operation(learned={"update": {"tries": 1}}), True),
        (TELLS, operation(), False),
        (TELLS, operation(done=frozenset({"extend"})), True),  # Heat does not know of it
        (UPDATE, operation(None, learned={"update": {"tries": 1}}), False),
    ],
)
def test_a_stack_that_was_written_or_should_have_been_is_left(
    step: UpdateStack, op: Operation, expected: bool
) -> None:
    refs = step.left(op)

    assert bool(refs) is expected
    assert all((ref.kind, ref.id, ref.role) == (Kind.STACK, "k1", "stack") for ref in refs)


@pytest.mark.parametrize("step", [SOUND, HasFlavor("large"), Resized("large")])
def test_a_step_that_only_looks_never_calls(step: Step) -> None:
    with pytest.raises(Terminal) as caught:
        act(step, operation(), seen(stack()))

    assert caught.value.reason is Reason.INTERNAL
    assert (step.left(operation()), step.unique, step.pivot) == ((), False, False)


# -- the calls ------------------------------------------------------------------------------------


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


def test_an_update_is_never_made_twice_and_can_be_undone() -> None:
    assert (UPDATE.unique, UPDATE.pivot, UPDATE.service) == (True, False, Service.ORCHESTRATION)


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
        (server("ERROR", "resize_migrating"), Next.WAIT),
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


@pytest.mark.parametrize(
    ("look", "expected"),
    [(server(), Next.DONE), (server(task="rebooting"), Next.WAIT)],
)
def test_a_server_must_run_before_heat_resizes_it(look: Server, expected: Next) -> None:
    runs = HasFlavor("small", running=True)

    assert runs.check(operation(), seen(look)) is expected
    assert reason_of(runs, operation(), seen(server("SHUTOFF"))) is Reason.REFUSED


# -- Resized: what became of an update that was explained -----------------------------------------


BROKEN = Server(id="s1", status="ERROR", fault="no valid host", flavor="small")


def updated(status: str, reason: str = "") -> Operation:
    return operation(learned={"update": {"tries": 1, "status": status, "reason": reason}})


@pytest.mark.parametrize(
    ("op", "look", "expected"),
    [
        (updated("UPDATE_COMPLETE"), server(flavor="large"), Next.DONE),
        (updated("UPDATE_COMPLETE"), server("VERIFY_RESIZE", flavor="large"), Next.WAIT),
        (updated("CHECK_COMPLETE"), server(flavor="large"), Next.DONE),
    ],
)
def test_a_resize_is_done_when_the_server_says_so(
    op: Operation, look: Server, expected: Next
) -> None:
    assert Resized("large").check(op, seen(look)) is expected


@pytest.mark.parametrize(
    ("op", "look", "text"),
    [
        (updated("UPDATE_FAILED", "status 'ERROR'"), seen(BROKEN), "no valid host"),
        (updated("UPDATE_FAILED", "Timed out"), seen(server()), "stack UPDATE_FAILED: Timed out"),
        (updated("UPDATE_FAILED", "Timed out"), GONE, "stack UPDATE_FAILED: Timed out"),
        (updated("UPDATE_COMPLETE"), seen(server()), "has flavor small, not large"),
        (updated("UPDATE_COMPLETE"), GONE, "does not exist any more"),
    ],
)
def test_a_resize_that_failed_tells_novas_fault_or_heats_reason(
    op: Operation, look: Seen, text: str
) -> None:
    with pytest.raises(Terminal, match=text):
        Resized("large").check(op, look)


# -- Recorded: drift ------------------------------------------------------------------------------


def test_every_recorded_resource_but_the_stack_is_looked_for() -> None:
    looks = recorded(RECORD, needs=frozenset())

    assert {look.wants(operation()) for look in looks} == {
        ById(ref.kind, ref.id) for ref in REFS.values() if ref.kind is not Kind.STACK
    }
    assert len({look.key for look in looks}) == len(looks)
    assert recorded(None, needs=frozenset()) == ()


def test_a_resource_that_is_gone_refuses_the_change() -> None:
    look = next(each for each in recorded(RECORD, frozenset()) if each.ref.kind is Kind.SERVER)

    assert look.check(operation(), seen(server())) is Next.DONE
    assert reason_of(look, operation(), GONE) is Reason.NOT_FOUND
    assert (look.service, look.left(operation())) == (Service.COMPUTE, ())


def test_an_update_that_heat_is_only_told_of_is_stopped_when_it_does_not_end() -> None:
    told = UpdateStack(SUBJECT, {"volume_size": 9}, tells="extend")
    look, later = (
        seen(stack("UPDATE_IN_PROGRESS", OURS)),
        seen(stack("UPDATE_IN_PROGRESS", OURS), at=DEADLINE),
    )

    assert [told.check(operation(), each) for each in (look, later)] == [Next.WAIT, Next.ACT]
    assert UPDATE.check(operation(), later) is Next.WAIT
    assert act(told, operation(), later)[0] == ("cancel_stack_update", SUBJECT, "k1")


def test_an_update_whose_failure_was_told_is_tried_again() -> None:
    failed = seen(stack("UPDATE_FAILED", OURS))
    told = operation(learned={"update": {"tries": 1, "status": "UPDATE_FAILED"}})

    assert reason_of(UPDATE, operation(), failed) is Reason.CLOUD_ERROR
    assert UPDATE.check(told, failed) is Next.ACT
    assert act(UPDATE, told, failed)[1].facts == {"tries": 2, "status": ""}
