"""Whose stack it is that has failed when an operation fails."""

import dataclasses

from msgspec.structs import replace

from handlers.clouds.memory.faults import FaultRule, Outcome, Spoil
from handlers.identity import stack_tags, write_name
from handlers.resources import Stack
from tests.chaos.cells import on
from tests.chaos.scenarios import Case
from tests.chaos.schedule import Do, Strike
from tests.chaos.stage import Stage
from tests.chaos.truth import Eyesight, of_end
from tests.chaos.watch import End

CASE = Case("orchestrator", "volume-resize")

NOT_TOLD = ["stack left behind, and not told"]

#: An extension that Cinder takes and cannot do.
SPOILED = FaultRule(effect=Spoil(Outcome.ERROR), verb="extend_volume", times=1)

MEDDLE = Strike(at="before-finish", do=Do.MEDDLE)


def _problems(*strikes: Strike, writer: int) -> list[str]:
    """What the judge says of an extension that failed natively, when Heat says at its end that an
    update of the stack failed, and the stack has the mark of the creation (0) or of the growth (1).
    """
    stage = Stage(schedule=on(CASE, faults=(SPOILED,), strikes=strikes))
    stage.play()
    created, grown = stage.book.ends
    eyes = Eyesight.under(stage.schedule, 0)
    assert not list(of_end(grown, (), eyes))
    write = write_name((created, grown)[writer].op.id, "update")
    return list(of_end(_with_a_failed_stack(grown, write), (), eyes))


def _with_a_failed_stack(end: End, write: str) -> End:
    (stack,) = (each for each in end.after.values() if isinstance(each, Stack))
    tags = stack_tags(end.op.subject, write)
    failed = replace(stack, status="UPDATE_FAILED", tags=tags)
    return dataclasses.replace(end, after={**end.after, stack.id: failed})


def test_what_a_strangers_update_broke_is_the_strangers() -> None:
    assert _problems(MEDDLE, writer=0) == []


def test_what_the_operation_wrote_last_has_to_be_told_whoever_meddled() -> None:
    assert _problems(MEDDLE, writer=1) == NOT_TOLD


def test_where_nobody_meddled_a_failed_stack_has_to_be_told() -> None:
    assert _problems(writer=0) == NOT_TOLD
