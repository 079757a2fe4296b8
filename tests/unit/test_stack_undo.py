"""The way back of an update, as tables: stop it, settle the server, give the old values again."""

from typing import Any

import pytest

from consumer.ledger.rules import resumed
from handlers.base import Next
from handlers.errors import Reason, Terminal
from handlers.operation import SECOND, Failure, Phase
from handlers.orders import StackUpdate
from handlers.resources import Absent, ById, Kind, Seen, Server, Service
from handlers.steps.stack_state import minutes_of
from handlers.steps.stack_undo import (
    OnlyIf,
    Restore,
    SettleServer,
    StopUpdate,
    is_complete,
    is_only_aligned,
    is_updated,
    unaligned,
)
from handlers.steps.stacks import TRIES
from tests.unit.stacked import DEADLINE, OPENED, SUBJECT, act, operation, seen, server, stack

GONE = Absent(OPENED + SECOND)
OURS, BACK, THEIRS = "c1_update", "c1_restore", "b9_update"

CALLED: dict[str, Any] = {"learned": {"update": {"tries": 1}}}
UNANSWERED: dict[str, Any] = {"quiet": {"update": OPENED + 85 * SECOND}}
RESTING = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED", "CHECK_COMPLETE")


def failure(reason: Reason) -> Failure:
    return Failure(reason=reason, message="because")


# -- StopUpdate -----------------------------------------------------------------------------------

STOP = StopUpdate(SUBJECT)


def test_the_recorded_stack_is_looked_at() -> None:
    assert STOP.wants(operation()) == ById(Kind.STACK, "k1")


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (GONE, Next.DONE),
        *((seen(stack(status, OURS)), Next.DONE) for status in RESTING),
        (seen(stack("UPDATE_IN_PROGRESS", OURS)), Next.WAIT),
        (seen(stack("UPDATE_IN_PROGRESS", OURS), at=DEADLINE), Next.ACT),
        (seen(stack("UPDATE_COMPLETE", OURS), at=DEADLINE), Next.DONE),
        (seen(stack("DELETE_IN_PROGRESS", OURS)), Next.WAIT),
        (seen(stack("DELETE_FAILED", OURS)), Next.DONE),
    ],
)
def test_an_update_is_waited_for_and_then_stopped(look: Seen, expected: Next) -> None:
    assert STOP.check(operation(**CALLED), look) is expected


def test_an_update_without_an_engine_is_stopped_while_there_is_time() -> None:
    turned = DEADLINE + SECOND
    op = operation(**CALLED, acted=OPENED + 5 * SECOND, phase=Phase.UNDO)
    op = op.to_undo(failure(Reason.DEADLINE), deadline=turned + 600 * SECOND)

    look = seen(stack("UPDATE_IN_PROGRESS", OURS), at=turned)

    assert STOP.check(op, look) is Next.ACT


def test_a_stop_is_one_call_for_this_stack() -> None:
    call, answer = act(STOP, operation(**CALLED), seen(stack("UPDATE_IN_PROGRESS", OURS)))

    assert call == ("cancel_stack_update", SUBJECT, "k1")
    assert (answer.facts, answer.request_id) == ({}, "req-1")
    assert (STOP.learn(operation(), GONE), STOP.left(operation())) == ({}, ())


def test_a_stop_has_the_key_of_the_update_whose_call_may_still_land() -> None:
    assert (STOP.key, STOP.unique, STOP.service) == ("update", False, Service.ORCHESTRATION)


# -- SettleServer ---------------------------------------------------------------------------------

SETTLE = SettleServer()


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (server(), Next.DONE),
        (server(flavor="large"), Next.DONE),
        (server("SHUTOFF"), Next.DONE),
        (server("ERROR"), Next.ACT),
        (server("VERIFY_RESIZE", flavor="large"), Next.ACT),
        (server("RESIZE", "resize_migrating"), Next.WAIT),
        (server("REVERT_RESIZE", "resize_reverting"), Next.WAIT),
        (server(task="resize_prep"), Next.WAIT),
        (server(task="resize_confirming", flavor="large"), Next.WAIT),
    ],
)
def test_a_server_is_settled_before_the_next_update(look: Server, expected: Next) -> None:
    assert SETTLE.check(operation(), seen(look)) is expected


def test_a_server_that_is_gone_needs_no_settling() -> None:
    assert SETTLE.check(operation(), GONE) is Next.DONE
    assert SETTLE.wants(operation(None)) is None
    assert SETTLE.wants(operation()) == ById(Kind.SERVER, "s1")


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (server("ERROR"), ("reset_server", "s1")),
        (server("VERIFY_RESIZE", flavor="large"), ("revert_resize", "s1")),
    ],
)
def test_an_error_is_reset_and_a_resize_reverted(look: Server, expected: tuple[str, str]) -> None:
    call, _ = act(SETTLE, operation(), seen(look))

    assert call == expected


def test_a_server_that_could_not_be_settled_is_left() -> None:
    (ref,) = SETTLE.left(operation())

    assert (ref.kind, ref.id, ref.note) == (Kind.SERVER, "s1", "a resize of it was cut short")
    assert SETTLE.left(operation(None)) == ()
    assert SETTLE.learn(operation(), seen(server())) == {"flavor": "small"}
    assert SETTLE.learn(operation(), GONE) == {}


# -- Restore --------------------------------------------------------------------------------------

RESTORE = Restore(SUBJECT, {"flavor": "small", "volume_size": 5})


@pytest.mark.parametrize(
    ("facts", "look", "expected"),
    [
        (CALLED, seen(stack("UPDATE_FAILED", OURS)), Next.ACT),
        (CALLED, seen(stack("UPDATE_COMPLETE", OURS)), Next.ACT),  # Heat did it, we want it back
        (UNANSWERED, seen(stack("UPDATE_FAILED", OURS)), Next.ACT),
        (UNANSWERED, seen(stack("UPDATE_COMPLETE", THEIRS)), Next.DONE),  # ours never landed
        (CALLED, seen(stack("UPDATE_COMPLETE", THEIRS)), Next.ACT),  # theirs came on top of it
        (CALLED, seen(stack("UPDATE_COMPLETE")), Next.ACT),
        (CALLED, seen(stack("UPDATE_IN_PROGRESS", OURS)), Next.WAIT),
        (CALLED, seen(stack("UPDATE_IN_PROGRESS", BACK)), Next.WAIT),
        (CALLED, seen(stack("UPDATE_IN_PROGRESS", BACK), at=DEADLINE), Next.ACT),
        (CALLED, seen(stack("UPDATE_COMPLETE", BACK)), Next.DONE),
        (CALLED, seen(stack("UPDATE_FAILED", BACK)), Next.ACT),
        (CALLED, GONE, Next.DONE),
        (CALLED, seen(stack("DELETE_IN_PROGRESS", OURS)), Next.DONE),
        (CALLED, seen(stack("DELETE_FAILED", OURS)), Next.DONE),
    ],
)
def test_the_last_good_values_are_given_again(
    facts: dict[str, Any], look: Seen, expected: Next
) -> None:
    assert RESTORE.check(operation(**facts), look) is expected


def test_a_restore_that_fails_is_tried_again_and_then_left_to_an_operator() -> None:
    failed = seen(stack("UPDATE_FAILED", BACK, reason="no valid host"))

    def op(tries: int) -> Any:
        return operation(learned={"update": {"tries": 1}, "restore": {"tries": tries}})

    assert [RESTORE.check(op(tries), failed) for tries in range(TRIES)] == [Next.ACT] * TRIES
    with pytest.raises(Terminal, match="no valid host"):
        RESTORE.check(op(TRIES), failed)


def test_a_restore_names_every_value_that_may_change() -> None:
    op = operation(**CALLED)

    call, answer = act(RESTORE, op, seen(stack("UPDATE_FAILED", OURS)))

    change = StackUpdate(
        subject=SUBJECT,
        stack="k1",
        parameters={"flavor": "small", "volume_size": 5},
        write=BACK,
        minutes=30,
    )
    assert call == ("update_stack", change)
    assert answer.facts == {"tries": 1}
    assert RESTORE.unique


def test_a_restore_that_heat_does_not_end_is_stopped() -> None:
    call, answer = act(RESTORE, operation(**CALLED), seen(stack("UPDATE_IN_PROGRESS", BACK)))

    assert call == ("cancel_stack_update", SUBJECT, "k1")
    assert answer.facts == {}


def test_a_stack_that_could_not_be_restored_is_left() -> None:
    (ref,) = RESTORE.left(operation())

    assert (ref.kind, ref.id) == (Kind.STACK, "k1")
    assert RESTORE.learn(operation(), seen(stack())) == {}
    assert RESTORE.wants(operation()) == ById(Kind.STACK, "k1")


# -- OnlyIf ---------------------------------------------------------------------------------------

WRAPPED = OnlyIf(RESTORE, is_updated)
SUPERSEDED: dict[str, Any] = {"failure": failure(Reason.SUPERSEDED)}


def test_a_wrapped_step_is_the_step_but_never_the_point_of_no_return() -> None:
    assert (WRAPPED.key, WRAPPED.needs, WRAPPED.service) == (
        RESTORE.key,
        RESTORE.needs,
        RESTORE.service,
    )
    assert (WRAPPED.unique, WRAPPED.pivot) == (True, False)


@pytest.mark.parametrize(
    ("facts", "needed"),
    [
        ({}, False),
        (CALLED, True),
        (UNANSWERED, True),
        ({**CALLED, "failure": failure(Reason.DEADLINE)}, True),
    ],
)
def test_nothing_is_taken_back_that_was_never_done(facts: dict[str, Any], needed: bool) -> None:
    op, look = operation(**facts), seen(stack("UPDATE_FAILED", OURS))

    assert WRAPPED.wants(op) == (ById(Kind.STACK, "k1") if needed else None)
    assert WRAPPED.check(op, look) is (Next.ACT if needed else Next.DONE)
    assert WRAPPED.left(op) == (RESTORE.left(op) if needed else ())
    assert WRAPPED.learn(op, look) == {}


@pytest.mark.parametrize(
    ("status", "complete"),
    [
        ("UPDATE_COMPLETE", True),
        ("UPDATE_FAILED", False),
        ("ROLLBACK_COMPLETE", False),  # Heat has the old values: the server must have them too
        ("CHECK_COMPLETE", False),
        ("", False),
    ],
)
def test_only_an_update_that_went_well_is_finished_natively(status: str, complete: bool) -> None:
    assert is_complete(operation(learned={"update": {"status": status}})) is complete


def test_what_is_deleted_next_is_not_looked_at_but_told() -> None:
    op = operation(**CALLED, **SUPERSEDED)

    assert WRAPPED.wants(op) is None
    with pytest.raises(Terminal, match="deletion"):
        WRAPPED.check(op, GONE)
    assert WRAPPED.left(op) == RESTORE.left(op)


@pytest.mark.parametrize(
    ("learned", "expected"),
    [
        ({"settle": {"flavor": "small"}}, False),
        ({"settle": {"flavor": "big"}}, True),
        ({"settle": {"flavor": "small"}, "realign": {"accepted": "small"}}, True),
        ({}, False),  # it was not there any more
    ],
)
def test_a_server_that_was_not_seen_with_the_recorded_flavor_is_told(
    learned: dict[str, Any], expected: bool
) -> None:
    op = operation(learned=learned, done=frozenset({"settle"}))

    assert [ref.id for ref in unaligned(op)] == (["s1"] if expected else [])
    assert unaligned(operation(learned=learned)) == ()


ALIGNED: dict[str, Any] = {"learned": {"align": {"accepted": "small"}}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, False),
        (ALIGNED, True),
        ({"quiet": {"align": OPENED + 40 * SECOND}}, True),
        ({"learned": {**ALIGNED["learned"], **CALLED["learned"]}}, False),  # Heat's resize by now
        ({**ALIGNED, **UNANSWERED}, False),
    ],
)
def test_a_server_is_stopped_on_its_way_to_the_recorded_flavor(
    facts: dict[str, Any], expected: bool
) -> None:
    assert is_only_aligned(operation(**facts)) is expected


def test_a_wrapped_step_makes_the_steps_call() -> None:
    op, look = operation(**CALLED), seen(stack("UPDATE_FAILED", OURS))

    assert act(WRAPPED, op, look) == act(RESTORE, op, look)


def test_what_heat_works_on_when_an_operation_is_resumed_is_not_stuck_yet() -> None:
    later = OPENED + 2 * 24 * 3600 * SECOND
    failed = operation(
        acted=OPENED + 5 * SECOND,
        phase=Phase.FAILED,
        ended_in=Phase.UNDO,
        failure=Failure(reason=Reason.DEADLINE, message="late"),
        learned={"update": {"tries": 1}},
    )
    op = resumed(failed, "worker", later + 1800 * SECOND, later)
    look = seen(stack("UPDATE_IN_PROGRESS", write="c1_restore"), at=later + SECOND)

    assert Restore(SUBJECT, {}).check(op, look) is Next.WAIT
    assert minutes_of(op) == 30
