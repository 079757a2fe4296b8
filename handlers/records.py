"""Records after an operation: what all managers write alike."""

from msgspec.structs import replace

from handlers.base import Step
from handlers.instance import Instance, Ref, State
from handlers.keys import GROUP, GROUP_STACK, SERVER, STACK, VOLUME
from handlers.operation import Operation
from handlers.resources import Kind
from handlers.steps.claim import Claim
from handlers.steps.remove import Remove
from handlers.steps.security_groups import rules_told

_KINDS = {
    "server": Kind.SERVER,
    "volume": Kind.VOLUME,
    "port": Kind.PORT,
    GROUP: Kind.SECURITY_GROUP,
    STACK: Kind.STACK,
    GROUP_STACK: Kind.STACK,
}


def base_record(op: Operation) -> Instance:
    """The record that the operation started from, with what its claims and creates add to it."""
    learned = {
        key: Ref(kind=_KINDS[key.partition("/")[0]], id=one, role=key)
        for key, one in sorted(op.known_ids.items())
        if key.partition("/")[0] in _KINDS
    }
    base = op.basis or Instance(id=op.subject, scope=op.scope, manager=op.manager)
    if learned.keys() <= base.resources.keys():
        return base
    return replace(
        base,
        resources={**learned, **base.resources},
        flavor=base.flavor or op.fact(SERVER, "flavor", ""),
        volume_size=base.volume_size or op.fact(VOLUME, "size", 0),
        rules=base.rules or rules_told(op.fact(GROUP, "rules", ())),
    )


def failed_record(op: Operation, plan: tuple[Step, ...], left: tuple[Ref, ...]) -> Instance | None:
    """The record after a failure: as before, in state ERROR when something is left behind.

    None where there was no record and nothing is left: the subject is forgotten.
    """
    claims = [step for step in plan if isinstance(step, Claim)]
    claimed = bool(claims) and all(step.key in op.learned for step in claims)
    if op.basis is None and not claimed and not left:
        return None
    if op.basis is not None or claimed:
        record = base_record(op)
        if any(isinstance(step, Remove) for step in plan):
            return replace(record, state=State.ERROR, resources=_still(record, left))
        return replace(record, state=State.ERROR) if left else record
    return Instance(
        id=op.subject,
        scope=op.scope,
        manager=op.manager,
        state=State.ERROR,
        resources={ref.role or f"{ref.kind}/{ref.id}": ref for ref in left if ref.id},
    )


def _still(record: Instance, left: tuple[Ref, ...]) -> dict[str, Ref]:
    """The recorded resources that a deletion which failed has left."""
    there = {ref.id for ref in left}
    return {key: ref for key, ref in record.resources.items() if ref.id in there}


def leftovers_of(op: Operation, plan: tuple[Step, ...]) -> tuple[Ref, ...]:
    """What the steps that were never done leave behind; nothing of what was refused as not ours."""
    if any(isinstance(step, Claim) and step.key not in op.done for step in plan):
        return ()
    return tuple(ref for step in plan if step.key not in op.done for ref in step.left(op))
