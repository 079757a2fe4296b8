"""What must hold where Heat does the work, beside what must hold everywhere."""

from collections.abc import Iterator

from handlers.admission import supersedes
from handlers.instance import Instance, State
from handlers.natives import NAME as NATIVES
from handlers.resources import Kind
from handlers.template import name_of
from tests.chaos.stage import Stage


def an_instance_has_its_stack(stage: Stage) -> Iterator[str]:
    """Exactly one stack for what a manager with Heat made and has, none for anything else."""
    record = stage.ledger.instance(stage.subject)
    if record is None or record.state is not State.ACTIVE:
        return
    stacks = [
        each
        for each in stage.state.core.stacks.values()
        if each.subject == stage.subject and each.id != stage.ground.occupied
    ]
    known = record.ids(Kind.STACK)
    expected = 0 if record.manager == NATIVES else 1
    if len(stacks) != expected or {each.id for each in stacks} != set(known):
        yield f"{len(stacks)} stacks exist, {len(known)} are recorded, {expected} expected"


def a_stack_owns_what_is_recorded(stage: Stage) -> Iterator[str]:
    """What a recorded stack has under a name is what the record has under the key of that name:
    Heat neither replaced it nor lost sight of it."""
    record = stage.ledger.instance(stage.subject)
    if record and record.manager == NATIVES:
        return  # what a failed move has left is there to be deleted
    for ref in record.resources.values() if record else ():
        stack = stage.state.core.stacks.get(ref.id)
        if record is None or stack is None or stack.action == "DELETE":
            continue
        owned = stack.resources
        for key, one in record.resources.items():
            row = owned.get(name_of(key))
            if row is not None and row.physical != one.id:
                yield f"the stack's {row.name} is another one than the recorded {key}"


def recorded_ids_stay(stage: Stage) -> Iterator[str]:
    """What a record names under a key is the same thing for as long as the subject lives."""
    last: Instance | None = None
    for end in stage.book.ends:
        now, before = end.record, last.resources if last else {}
        for key, ref in now.resources.items() if now else ():
            if key in before and before[key].id != ref.id:
                yield f"{end.op.command.name} changed the recorded {key}"
        last = now


def no_server_is_replaced(stage: Stage) -> Iterator[str]:
    """A server that once lived goes by a deletion only: with it goes what is on it."""
    lived = set(stage.state.audit.launched)
    for end in stage.book.ends:
        gone = {each for each in end.before if each in lived} - set(end.after)
        if gone and not end.op.command.name.endswith((".delete", ".create")):
            yield f"{end.op.command.name} lost a server that had lived"


def no_data_are_lost(stage: Stage) -> Iterator[str]:
    """The volume of an instance that lived goes by our deletion only, whatever Heat does, and
    whoever deletes the stack."""
    if any(supersedes(command) for command in stage.world.sent):
        return
    records = (end.record for end in stage.book.ends)
    living = (each for each in records if each and each.state is State.ACTIVE)
    recorded = {volume for each in living for volume in each.ids(Kind.VOLUME)}
    if recorded - set(stage.look(stage.subject)):
        yield "a volume with data is gone"


def what_is_somebodys_stays(stage: Stage) -> Iterator[str]:
    """A stack of our name that is not ours is let alone."""
    if stage.ground.occupied is None:
        return
    stack = stage.state.core.stacks.get(stage.ground.occupied)
    if stack is None or (stack.action, stack.status) != ("CREATE", "COMPLETE"):
        yield "somebody's stack was touched"
