"""The checker sees what it is there to see: each thing that is wrong, planted by hand."""

import dataclasses
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from handlers.instance import Ref
from handlers.operation import Entry
from handlers.resources import Kind
from tests.chaos.invariants import problems_of
from tests.chaos.scenario import SECRET
from tests.chaos.schedule import Schedule
from tests.chaos.stage import Stage


def _leave_one_in_the_queue(stage: Stage) -> None:
    stage.world.inbox.append(stage.command)


def _forget_the_event(stage: Stage) -> None:
    stage.world.published[:] = [e for e in stage.world.published if e.type.endswith(".start")]


def _make_a_second_port(stage: Stage) -> None:
    stage.state.audit.made += [m for m in stage.state.audit.made if m.kind is Kind.PORT]


def _lose_the_volume(stage: Stage) -> None:
    stage.state.core.volumes.clear()


def _unplug_a_port(stage: Stage) -> None:
    for port in stage.state.core.ports.values():
        port.device = ""


def _resize_by_hand(stage: Stage) -> None:
    for server in stage.state.core.servers.values():
        if server.subject == stage.subject:
            server.flavor = "4"


def _take_the_rules_away(stage: Stage) -> None:
    for group in stage.state.core.groups.values():
        group.rules.clear()


def _touch_a_bystander(stage: Stage) -> None:
    stage.state.core.volumes[stage.strangers.volume or ""].size += 1


def _show_the_secret(stage: Stage) -> None:
    row = stage.ledger._tables.rows[stage.command.id]  # type: ignore[attr-defined]
    entry = Entry(at=0, what="acted", detail=SECRET)
    row.op = replace(row.op, timeline=(*row.op.timeline, entry))


def _say_something_is_left(stage: Stage) -> None:
    end = stage.book.ends[-1]
    left = (Ref(kind=Kind.PORT, id="no-such-port"),)
    op = replace(end.op, left=left)
    stage.book.ends[-1] = dataclasses.replace(end, op=op)


def _break(stage: Stage) -> None:
    stage.defects.seen.append("server: ZeroDivisionError()")


PLANTED: dict[str, Callable[[Stage], None]] = {
    "every_command_ends": _leave_one_in_the_queue,
    "one_end_is_told": _forget_the_event,
    "nothing_is_made_twice": _make_a_second_port,
    "the_record_holds: in the end 1 only": _lose_the_volume,
    "the_record_holds: in the end the port is not plugged in": _unplug_a_port,
    "the_record_holds: in the end the flavor": _resize_by_hand,
    "the_record_holds: in the end the rules": _take_the_rules_away,
    "nothing_is_unowned": _touch_a_bystander,
    "secrets_stay_secret": _show_the_secret,
    "ends_are_true": _say_something_is_left,
    "nothing_broke": _break,
}


@pytest.mark.parametrize("problem", PLANTED)
def test_what_is_wrong_is_seen(problem: str) -> None:
    stage = Stage(schedule=Schedule(scenario="create"))
    stage.play()
    assert not problems_of(stage)

    PLANTED[problem](stage)

    assert any(each.startswith(problem) for each in problems_of(stage)), problems_of(stage)
