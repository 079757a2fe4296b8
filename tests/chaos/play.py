"""Play a schedule and say what came of it."""

from dataclasses import dataclass

from handlers.instance import State
from handlers.operation import Phase
from handlers.resources import Stack
from tests.chaos.invariants import problems_of, the_record_holds
from tests.chaos.schedule import Schedule
from tests.chaos.stacks import update_for_nothing
from tests.chaos.stage import CORE, Stage, Variant
from tests.chaos.values import wrong


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a schedule came to; `stage` is there to be looked at."""

    schedule: Schedule
    stage: Stage
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((*self.problems, self.schedule.line()))


def play(schedule: Schedule, variant: Variant = CORE) -> Outcome:
    """Play one schedule; a problem is whatever an invariant says, or an error on the way."""
    stage = Stage(schedule=schedule, variant=variant)
    try:
        stage.play()
        problems = problems_of(stage) or _aftermath(stage)
    except Exception as error:  # a broken core may break the stage too
        problems = [f"the stage broke: {error!r}"]
    return Outcome(schedule, stage, tuple(problems))


def _aftermath(stage: Stage) -> list[str]:
    """What lives is as Heat believes it to be. Whatever is left in error: on a cloud that works
    again it can be resumed, and a delete removes it all."""
    record = stage.ledger.instance(stage.subject)
    if stage.is_bereft:
        return _deleted(stage)
    if record is not None and record.state is State.ACTIVE:
        return [] if [*wrong(record, stage.look(stage.subject))] else _proven(stage)
    if record is None or record.state is not State.ERROR:
        return []
    return (_resumed(stage) if stage.schedule.seed % 2 else []) or _deleted(stage)


def _proven(stage: Stage) -> list[str]:
    """Heat would change nothing that it has no reason to change."""
    before = stage.look(stage.subject)
    updated = list(update_for_nothing(stage.state, before))
    if not updated:
        return []
    stage.settle()
    after = stage.look(stage.subject)
    if before.keys() != after.keys():
        return ["an update without a change makes or removes something"]
    told = (after[each] for each in updated)
    return [
        f"an update without a change ends in {one.status}: {one.reason}"
        for one in told
        if isinstance(one, Stack) and one.status != "UPDATE_COMPLETE"
    ]


def _resumed(stage: Stage) -> list[str]:
    """Resumed, it ends, and says truly how."""
    op = stage.resume()
    if op is None:
        return []
    if not op.phase.is_final:
        return [f"resumed, {op.command.name} is still {op.phase}"]
    if op.left:
        return [f"resumed, {op.command.name} leaves {op.left}"]
    return [f"resumed, {problem}" for problem in the_record_holds(stage)]


def _deleted(stage: Stage) -> list[str]:
    stage.clean_up()
    op = stage.ledger.operation(stage.world.sent[-1].id)
    if op is None or op.phase is not Phase.SUCCEEDED:
        return [f"a delete afterwards did not succeed: {op and op.failure}"]
    left = stage.look(stage.subject)
    return [f"{len(left)} things are left after a delete"] if left else []
