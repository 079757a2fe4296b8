"""Whether an event and a record say what is in the cloud."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from handlers.clouds.memory.faults import Call, Delay, FaultRule, Outcome, Spoil
from handlers.commands import (
    CreateInstance,
    CreateSecurityGroup,
    DeleteInstance,
    DeleteSecurityGroup,
)
from handlers.errors import Reason
from handlers.events import Event
from handlers.identity import last_write, write_name
from handlers.instance import Instance, Ref, State
from handlers.natives import NAME as NATIVES
from handlers.operation import SECOND, Micros, Phase
from handlers.resources import (
    SERVICE_OF,
    Kind,
    Port,
    Resource,
    Server,
    Stack,
    Volume,
)
from tests.chaos import values
from tests.chaos.hands import ill_doomed, is_move, let_go
from tests.chaos.schedule import Do, Schedule
from tests.chaos.watch import End, Sight

_CREATES = (CreateInstance, CreateSecurityGroup)
_DELETES = (DeleteInstance, DeleteSecurityGroup)


class Eyesight(NamedTuple):
    """What the core could know: `calm`: statuses can be trusted; `blind`: kinds that could not be
    looked at; `idle`: microseconds for which workers may have stood still; `meddled`: somebody else
    was at the stack."""

    calm: bool
    blind: frozenset[Kind]
    idle: Micros
    meddled: bool

    @classmethod
    def under(cls, schedule: Schedule, idle: float) -> "Eyesight":
        flaps = (
            isinstance(each.effect, Spoil) and each.effect.outcome is Outcome.FLAP
            for each in schedule.faults
        )
        blind = (kind for kind in Kind if any(_blinds(each, kind) for each in schedule.faults))
        meddled = any(strike.do is Do.MEDDLE for strike in schedule.strikes)
        return cls(not any(flaps), frozenset(blind), int(idle * SECOND), meddled)

    def doubtful(self, end: End) -> frozenset[Kind]:
        """Kinds of which the operation may honestly have said "may exist", or too much: those that
        it could not look at, and all of them when a call of late was never answered, or while
        Heat is at work. Whose stack is left, of that nobody could see to the rest."""
        late = end.op.finished - self.idle - 60 * SECOND
        unanswered = any(until > late for until in end.op.quiet.values())
        heat = any(isinstance(each, Stack) and each.is_busy for each in end.after.values())
        if unanswered or end.in_flight or heat:
            return frozenset(Kind)
        if end.op.manager == NATIVES:
            return self.blind
        if end.op.failure and end.op.failure.reason is Reason.SUPERSEDED:
            return frozenset(Kind)
        if any(ref.kind is Kind.STACK for ref in end.op.left):
            return frozenset(Kind) - {Kind.STACK} | self._of_stacks(end)
        told = (
            {Kind.VOLUME} if is_move(end) and _just_now(end) else set()
        )  # what Nova was told of it
        return _hanging_on(self.blind) | told

    def _of_stacks(self, end: End) -> frozenset[Kind]:
        """Stacks may have gone since the last look."""
        is_unseen = _just_now(end) or Kind.STACK in self.blind
        return frozenset({Kind.STACK}) if is_unseen else frozenset()


def _just_now(end: End) -> bool:
    return end.op.acted > end.op.finished - 15 * SECOND


def _hanging_on(kinds: frozenset[Kind]) -> frozenset[Kind]:
    """With what is only looked at after these: a stack that goes may take it along, or not."""
    order = (Kind.STACK, Kind.SERVER, Kind.PORT, Kind.SECURITY_GROUP)
    first = min((order.index(kind) for kind in kinds if kind in order), default=len(order))
    volume = {Kind.VOLUME} if first < 2 else set()
    return kinds | volume | set(order[first:])


def _blinds(rule: FaultRule, kind: Kind) -> bool:
    """Whether look-ups of a kind may fail for as long as an operation lives."""
    if rule.times is not None or rule.nth is not None or isinstance(rule.effect, Delay):
        return False
    looks = (f"{how}_{kind}" for how in ("get", "find", "changed"))
    return any(rule.matches(Call(SERVICE_OF[kind], verb)) for verb in looks)


def of_end(end: End, told: Iterable[Ref], eyes: Eyesight) -> Iterator[str]:
    """What is wrong with one end. `told` is what was left behind up to now."""
    yield from _of_event(end.event, end)
    yield from of_record(end.record, owned(end.after, end), told, wrong_before(end))
    if end.op.phase is Phase.SUCCEEDED:
        yield from _of_success(end, eyes)
    else:
        yield from _of_failure(end, eyes)


def _of_event(event: Event, end: End) -> Iterator[str]:
    data, record = event.data, end.record
    if data.resources != (record.resources if record else {}):
        yield "the event names other resources than the record"
    if bool(data.error) != (end.op.phase is Phase.FAILED):
        yield "the event's kind and its error do not agree"
    if data.left_behind != end.op.left:
        yield "the event and the row disagree on what is left behind"
    ports = {a for each in end.after.values() if isinstance(each, Port) for a in each.addresses}
    if not data.error and not set(data.addresses) <= ports:
        yield "the event names an address that no port has"


def owned(sight: Sight, end: End) -> Sight:
    """Without what was there before an operation that came to no record: not ours."""
    if end.record is not None or end.op.basis is not None:
        return sight
    return {each: thing for each, thing in sight.items() if each not in end.before}


def wrong_before(end: End) -> frozenset[str]:
    """What was wrong when the operation opened: somebody else's work, until it is put right."""
    return frozenset(values.wrong(end.op.basis, end.before)) if end.op.basis else frozenset()


def of_record(
    record: Instance | None, sight: Sight, left: Iterable[Ref], known: Collection[str] = ()
) -> Iterator[str]:
    """What a record says about a subject against what there is; `known` is not told again."""
    recorded = {ref.id for ref in record.resources.values()} if record else set()
    there = set(sight)
    if record is None or record.state is State.DELETED:
        if there - _named(left, sight):
            yield f"{_kinds(sight, there)} exist that nobody knows of"
        return
    if record.state is State.ACTIVE:
        if recorded != there:
            more = _kinds(sight, there - recorded)
            yield f"{len(recorded - there)} only in the record, only in the cloud {more}"
        yield from (each for each in values.wrong(record, sight) if each not in known)
    elif there - recorded - _named(left, sight):
        yield f"{_kinds(sight, there - recorded)} exist that nobody knows of"


def _of_success(end: End, eyes: Eyesight) -> Iterator[str]:
    body = end.op.command.body
    if end.op.left:
        yield "a success that leaves something behind"
    if isinstance(body, _DELETES):
        if end.after:
            yield f"{_kinds(end.after, set(end.after))} are still there after the deletion"
        return
    was_well = end.op.basis is None or end.op.basis.state is State.ACTIVE
    if end.record is None or (was_well and end.record.state is not State.ACTIVE):
        yield "a success without a live record"
    for each in end.after.values():
        failed = isinstance(each, Stack) and each.has_failed
        if failed and end.before.get(each.id) != each and not _is_strangers(end, each, eyes):
            yield f"the stack is {each.status}"
    if eyes.calm and end.op.command.name in ("instance.create", "instance.resize"):
        for each in end.after.values():
            if isinstance(each, Server) and (each.status != "ACTIVE" or each.task):
                yield f"the server is {each.status}/{each.task}"


def _of_failure(end: End, eyes: Eyesight) -> Iterator[str]:
    """What is left behind is exactly what is there and was not, or is not as it was."""
    named = {ref.id: ref.kind for ref in end.op.left if ref.id}
    unsure = {ref.kind for ref in end.op.left if not ref.id}
    deletes = isinstance(end.op.command.body, _DELETES)
    other = set(end.after) if deletes else _changed(end, calm=eyes.calm)
    strictly = set(end.after) if deletes else _changed(end, calm=True) | _misled(end)
    moving = _under_way(end, named, unsure)
    lost = {
        each
        for each in other - set(named) - moving
        if end.after[each].kind not in unsure
        and not _is_put_right(end, end.after[each])
        and not _is_strangers(end, end.after[each], eyes)
    }
    unclaimed = end.op.basis is None and not named and set(end.before) == set(end.after)
    doubtful = eyes.doubtful(end)
    if lost and not (deletes and unclaimed):
        yield f"{_kinds(end.after, lost)} left behind, and not told"
    if {kind for each, kind in named.items() if each not in strictly} - doubtful:
        yield "something told as left behind that is not"
    guesses = deletes and (end.op.basis is None or end.op.basis.state is State.ERROR)
    if unsure - {end.after[i].kind for i in strictly} - doubtful and not guesses:
        yield "something may be left behind, and nothing is"
    if not deletes and set(end.before) - set(end.after) - let_go(end):
        yield "a failure that took something away"
    if not (end.op.left or deletes or let_go(end)) and end.op.basis not in (None, end.record):
        yield "a clean failure that changed the record"


def _under_way(end: End, named: Collection[str], unsure: Collection[Kind]) -> set[str]:
    """All of it, where a stack is told that may exist, or one that Heat is still at work on; and
    what moves along with a told server."""
    told = [each for one, each in end.after.items() if one in named]
    if any(isinstance(each, Stack) and each.is_busy for each in told):
        return set(end.after)
    if Kind.STACK in unsure and any(isinstance(each, Stack) for each in end.after.values()):
        return set(end.after)
    busy = (each for each in told if isinstance(each, Server) and "RESIZE" in each.status)
    return {volume for each in busy for volume in each.volumes}


def _is_strangers(end: End, resource: Resource, eyes: Eyesight) -> bool:
    """Where somebody else was at the stack: one that this operation did not write last. Whoever did
    must see to what came of it; its values are given to it again by the next update of ours."""
    if not (eyes.meddled and isinstance(resource, Stack)):
        return False
    return not (last_write(resource.tags) or "").startswith(write_name(end.op.id, ""))


def _is_put_right(end: End, resource: Resource) -> bool:
    """What is as the record now says and was not: extended, or aligned after somebody's doing."""
    if end.record is None or end.op.basis is None or [*values.wrong(end.record, _one(resource))]:
        return False
    at_rest = resource.status in ("ACTIVE", "in-use", "available", "UPDATE_COMPLETE")
    before = end.before.get(resource.id)
    return at_rest and before is not None and bool([*values.wrong(end.record, _one(before))])


def _one(resource: Resource) -> Sight:
    return {resource.id: resource}


def _changed(end: End, *, calm: bool) -> set[str]:
    return {
        each
        for each, now in end.after.items()
        if each not in end.before or _shape(now, calm) != _shape(end.before[each], calm)
    } | ill_doomed(end)


def _misled(end: End) -> set[str]:
    """Stacks of which Heat believes other things than the record says."""
    stacks = (each for each in end.after.values() if isinstance(each, Stack))
    return {each.id for each in stacks if end.record and [*values.misled(end.record, each)]}


def _shape(resource: Resource, calm: bool) -> object:
    """What counts as a change."""
    status = resource.status if calm else ""
    match resource:
        case Server():
            return status, resource.task if calm else None, resource.flavor, resource.volumes
        case Volume():
            return status, resource.size, resource.servers
        case Port():
            return resource.device, resource.groups, resource.addresses
        case Stack():
            is_broken = resource.has_failed and resource.status != "CHECK_FAILED"  # only a look
            return is_broken, resource.outputs
        case _:
            return {rule.wanted for rule in resource.rules}


def _named(left: Iterable[Ref], sight: Sight) -> set[str]:
    """Ids that are told as left behind; one without an id stands for all of its kind, and a stack
    that is there for what it owns."""
    refs = tuple(left)
    unsure = {ref.kind for ref in refs if not ref.id}
    stacks = {each for each, resource in sight.items() if isinstance(resource, Stack)}
    if stacks and (Kind.STACK in unsure or stacks & {ref.id for ref in refs}):
        return set(sight)
    return {ref.id for ref in refs} | {i for i, r in sight.items() if r.kind in unsure}


def _kinds(sight: Sight, ids: set[str]) -> str:
    return ", ".join(sorted(f"{sight[each].kind}" for each in ids if each in sight)) or "nothing"
