"""The removal of a stack, as tables: by Heat where it can, and what is left where it cannot."""

from typing import Any

import pytest
from msgspec.structs import replace

from handlers.base import Next
from handlers.commands import DeleteInstance
from handlers.errors import Reason, Terminal
from handlers.instance import Ref, State
from handlers.operation import SECOND, Micros, Operation
from handlers.resources import Absent, ByIdentity, Kind, Seen, Service, Volume
from handlers.steps.remove import Remove
from handlers.steps.stack_removal import TRIES, RemoveStack
from tests.unit.stacked import DEADLINE, OPENED, RECORD, SUBJECT, act, operation, seen, stack

GONE = Absent(OPENED + SECOND)
MADE, THEIRS = "c1_stack", "b9_stack"
DELETE = DeleteInstance(project="tenant")

#: The way back of a create; a deletion; and what asks once more when the rest is gone.
UNDO = RemoveStack(SUBJECT)
ALL = RemoveStack(SUBJECT, everything=True)
REST = RemoveStack(SUBJECT, rest_of="stack", key="stack-rest")
GROUP_UNDO = RemoveStack(SUBJECT, key="group-stack")
GROUP_ALL = RemoveStack(SUBJECT, everything=True, key="group-stack")

KNOWN: dict[str, Any] = {"learned": {"stack": {"id": "k1"}}}
UNANSWERED: dict[str, Any] = {"quiet": {"stack": OPENED + 85 * SECOND}}


def undoing(**facts: Any) -> Operation:
    """The way back of a create."""
    return operation(None, **facts)


def deleting(**facts: Any) -> Operation:
    return operation(body=DELETE, **facts)


def asked(times: int, **facts: Any) -> dict[str, Any]:
    """Heat was asked to delete so often."""
    return {"learned": {"stack": {"id": "k1", "tries": times}}, **facts}


# -- what is looked at ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "op", "expected"),
    [
        (UNDO, undoing(), None),
        (UNDO, undoing(**UNANSWERED), ByIdentity(Kind.STACK, SUBJECT)),
        (UNDO, undoing(**KNOWN), ByIdentity(Kind.STACK, SUBJECT, ("k1",))),
        (ALL, deleting(), ByIdentity(Kind.STACK, SUBJECT, ("k1",))),
        (ALL, operation(None, DELETE), ByIdentity(Kind.STACK, SUBJECT)),
        (GROUP_ALL, deleting(), ByIdentity(Kind.STACK, SUBJECT)),
        (REST, deleting(**KNOWN), None),
        (
            REST,
            deleting(learned={"stack": {"id": "k1", "rest": ["k1"]}}),
            ByIdentity(Kind.STACK, SUBJECT, ("k1",)),
        ),
        (REST, deleting(learned={"stack": {"id": "k1", "rest": []}}), None),
    ],
)
def test_a_stack_is_looked_for_where_one_may_be(
    step: RemoveStack, op: Operation, expected: ByIdentity | None
) -> None:
    assert step.wants(op) == expected


# -- whose stack it is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "op", "write", "expected"),
    [
        (UNDO, undoing(**UNANSWERED), MADE, Next.ACT),
        (UNDO, undoing(**UNANSWERED), THEIRS, Next.DONE),
        (UNDO, undoing(**UNANSWERED), "", Next.DONE),
        (UNDO, undoing(**KNOWN), "", Next.ACT),  # by its id, whatever its tags say now
        (ALL, operation(None, DELETE), THEIRS, Next.ACT),
        (ALL, operation(None, DELETE), "b9_group-stack", Next.ACT),
        (ALL, operation(None, DELETE), "", Next.DONE),
        (ALL, deleting(), "", Next.ACT),
        (GROUP_ALL, operation(None, DELETE), "b9_group-stack", Next.ACT),
        (GROUP_ALL, operation(None, DELETE), "b9_update", Next.DONE),  # an instance's
        (GROUP_ALL, operation(None, DELETE), "", Next.DONE),
        (GROUP_UNDO, undoing(quiet={"group-stack": OPENED}), "c1_group-stack", Next.ACT),
        (GROUP_UNDO, undoing(quiet={"group-stack": OPENED}), MADE, Next.DONE),
        (REST, deleting(learned={"stack": {"rest": ["k1"]}}), "", Next.ACT),
        (REST, deleting(learned={"stack": {"rest": ["k0"]}}), THEIRS, Next.DONE),
    ],
)
def test_only_the_stack_that_is_meant_is_removed(
    step: RemoveStack, op: Operation, write: str, expected: Next
) -> None:
    assert step.check(op, seen(stack("CREATE_COMPLETE", write))) is expected


# -- in which state it is -------------------------------------------------------------------------

ANY_STATE = (
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "CREATE_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_IN_PROGRESS",
    "ROLLBACK_FAILED",
    "CHECK_FAILED",
    "ADOPT_FAILED",
    "DELETE_FAILED",
)


#: Six seconds later.
LATER = seen(stack("UPDATE_COMPLETE", MADE), at=OPENED + 6 * SECOND)


@pytest.mark.parametrize("status", ANY_STATE)
def test_a_stack_is_deleted_whatever_state_it_is_in(status: str) -> None:
    assert ALL.check(deleting(), seen(stack(status, MADE))) is Next.ACT


@pytest.mark.parametrize(
    ("facts", "look", "expected"),
    [
        ({}, GONE, Next.DONE),
        (asked(1), GONE, Next.DONE),
        # somebody else deletes it already
        ({}, seen(stack("DELETE_IN_PROGRESS", MADE)), Next.WAIT),
        (asked(1), seen(stack("DELETE_IN_PROGRESS", MADE)), Next.WAIT),
        # asked a moment ago: Heat has not begun yet
        (asked(1, acted=OPENED), seen(stack("UPDATE_COMPLETE", MADE)), Next.WAIT),
        (
            asked(1, acted=OPENED),
            seen(stack("UPDATE_COMPLETE", MADE), at=OPENED + 6 * SECOND),
            Next.ACT,
        ),
        # failed: Heat is asked once more, then the services are
        (asked(1), seen(stack("DELETE_FAILED", MADE)), Next.ACT),
        (asked(TRIES), seen(stack("DELETE_FAILED", MADE)), Next.DONE),
        # no engine works on it
        (asked(1), seen(stack("DELETE_IN_PROGRESS", MADE), at=DEADLINE), Next.ACT),
        (asked(TRIES), seen(stack("DELETE_IN_PROGRESS", MADE), at=DEADLINE), Next.DONE),
    ],
)
def test_heat_is_asked_twice_before_the_services_are(
    facts: dict[str, Any], look: Seen, expected: Next
) -> None:
    assert ALL.check(deleting(**facts), look) is expected


@pytest.mark.parametrize(
    ("tries", "look", "expected"),
    [
        (0, GONE, Next.DONE),
        (0, seen(stack("DELETE_FAILED", MADE)), Next.ACT),
        (1, seen(stack("DELETE_IN_PROGRESS", MADE)), Next.WAIT),
        (1, seen(stack("DELETE_FAILED", MADE)), Next.ACT),
    ],
)
def test_what_would_not_go_is_asked_for_again_at_the_end(
    tries: int, look: Seen, expected: Next
) -> None:
    learned = {"stack": {"rest": ["k1"], "tries": TRIES}, "stack-rest": {"tries": tries}}

    assert REST.check(deleting(learned=learned), look) is expected


def test_a_stack_that_never_goes_ends_the_deletion_in_heats_words() -> None:
    learned = {"stack": {"rest": ["k1"]}, "stack-rest": {"tries": TRIES}}
    look = seen(stack("DELETE_FAILED", MADE, reason="port is in use"))

    with pytest.raises(Terminal, match="DELETE_FAILED: port is in use") as caught:
        REST.check(deleting(learned=learned), look)

    assert caught.value.reason is Reason.CLOUD_ERROR


# -- the call, and what is kept of it -------------------------------------------------------------


def test_a_deletion_is_one_counted_call_for_this_stack() -> None:
    call, answer = act(ALL, deleting(**asked(1)), seen(stack("DELETE_FAILED", MADE)))

    assert call == ("delete_stack", SUBJECT, "k1")
    assert (answer.facts, answer.request_id) == ({"id": "k1", "tries": 2}, "req-1")
    assert (ALL.unique, ALL.pivot, ALL.service) == (True, False, Service.ORCHESTRATION)


THERE = {"id": "k1", "rest": ["k1"]}


@pytest.mark.parametrize(
    ("step", "op", "look", "expected"),
    [
        (ALL, deleting(), GONE, {"rest": []}),
        (ALL, deleting(), seen(stack("DELETE_FAILED", MADE)), THERE),
        (UNDO, undoing(**UNANSWERED), seen(stack("CREATE_FAILED", THEIRS)), {"rest": []}),
        (
            UNDO,
            undoing(**UNANSWERED),
            seen(stack("CREATE_FAILED", MADE)),
            {"id": "k1", "rest": ["k1"]},
        ),
    ],
)
def test_what_is_still_there_is_kept(
    step: RemoveStack, op: Operation, look: Seen, expected: dict[str, Any]
) -> None:
    assert step.learn(op, look) == {**expected, "seen": look.at}


@pytest.mark.parametrize(("later", "expected"), [(0, Next.WAIT), (6 * SECOND, Next.DONE)])
def test_what_heat_made_last_may_show_a_while_after_its_stack_is_gone(
    later: Micros, expected: Next
) -> None:
    step = Remove("port/user-0", Kind.PORT, SUBJECT, maker="stack")
    op = undoing(learned={"stack": {"id": "k1", "rest": [], "seen": GONE.at}})

    assert step.check(op, Absent(GONE.at + later)) is expected


# -- what is left behind --------------------------------------------------------------------------

LEFT = Ref(kind=Kind.STACK, id="k1", role="stack")
BROKEN = replace(RECORD, state=State.ERROR, resources={})
NOTE = f"a stack may exist that carries the identity of {SUBJECT}"


def at_rest(rest: list[str], *done: str) -> dict[str, Any]:
    return {"learned": {"stack": {"id": "k1", "rest": rest}}, "done": frozenset(done)}


@pytest.mark.parametrize(
    ("step", "op", "expected"),
    [
        (UNDO, undoing(), ()),
        (UNDO, undoing(**UNANSWERED), (replace(LEFT, id="", note=NOTE),)),
        (UNDO, undoing(**KNOWN), (LEFT,)),
        (UNDO, undoing(**at_rest([])), ()),
        (ALL, deleting(), (LEFT,)),
        (ALL, deleting(**at_rest([])), ()),
        (ALL, deleting(**at_rest(["k2"])), (replace(LEFT, id="k2"),)),
        (ALL, operation(None, DELETE), (replace(LEFT, id="", note=NOTE),)),
        (ALL, operation(BROKEN, DELETE), (replace(LEFT, id="", note=NOTE),)),
        (ALL, operation(replace(RECORD, resources={}), DELETE), ()),
        (REST, deleting(), ()),
        (REST, deleting(**at_rest(["k1"], "stack")), (LEFT,)),
        (REST, deleting(**at_rest([], "stack")), ()),
        (REST, deleting(**at_rest(["k1"])), ()),  # the first step tells of it
    ],
)
def test_a_stack_that_is_left_is_told_once(
    step: RemoveStack, op: Operation, expected: tuple[Ref, ...]
) -> None:
    assert step.left(op) == expected


def test_what_is_left_of_a_group_is_recorded_as_its_stack() -> None:
    step = RemoveStack(SUBJECT, rest_of="group-stack", key="stack-rest")
    learned = {"group-stack": {"id": "k1", "rest": ["k1"]}}
    op = undoing(learned=learned, done=frozenset({"group-stack"}))

    assert step.left(op) == (replace(LEFT, role="group-stack"),)


# -- what follows natively ------------------------------------------------------------------------

SERVERS = Remove("server", Kind.SERVER, SUBJECT, maker="stack", reach=0)
LOST = Remove("servers", Kind.SERVER, SUBJECT, everything=True, reach=SECOND)
VOLUMES = Remove("volume/data", Kind.VOLUME, SUBJECT, maker="stack")
SEEN_LAST = {"learned": {"stack": {"id": "k1", "rest": [], "seen": OPENED}}}


@pytest.mark.parametrize(
    ("step", "op", "expected"),
    [
        (VOLUMES, undoing(), None),
        (VOLUMES, undoing(learned={"stack": {"rest": []}}), None),  # Heat never made anything
        (VOLUMES, undoing(**KNOWN), ByIdentity(Kind.VOLUME, SUBJECT)),
        # Heat gives a server its tag late: what changed since the opening is looked through
        (SERVERS, undoing(**KNOWN), ByIdentity(Kind.SERVER, SUBJECT, since=OPENED)),
        (LOST, undoing(), ByIdentity(Kind.SERVER, SUBJECT, since=OPENED - SECOND)),
    ],
)
def test_what_a_stack_made_is_looked_for_when_there_was_one(
    step: Remove, op: Operation, expected: ByIdentity | None
) -> None:
    assert step.wants(op) == expected


@pytest.mark.parametrize(
    ("facts", "look", "expected"),
    [
        (SEEN_LAST, Absent(OPENED + SECOND), Next.WAIT),  # Heat made it a moment ago, perhaps
        (SEEN_LAST, Absent(OPENED + 6 * SECOND), Next.DONE),
        (KNOWN, GONE, Next.DONE),
        ({}, GONE, Next.DONE),
        (SEEN_LAST, seen(Volume(id="v1", status="available", role="volume/data")), Next.ACT),
        (SEEN_LAST, seen(Volume(id="v1", status="in-use", role="volume/data")), Next.WAIT),
        (KNOWN, seen(Volume(id="v2", status="available", role="another")), Next.DONE),
    ],
)
def test_what_a_stack_retained_is_removed(
    facts: dict[str, Any], look: Seen, expected: Next
) -> None:
    assert VOLUMES.check(undoing(**facts), look) is expected
