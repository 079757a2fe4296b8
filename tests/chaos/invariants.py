"""What must hold after every schedule. Each check yields what is wrong, in words."""

from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

from consumer.secrets import has_secrets
from handlers.admission import supersedes
from handlers.clouds.memory.faults import Late, Lose
from handlers.errors import Reason
from handlers.events import EventKind, event_id
from handlers.instance import Ref, State
from handlers.migration import MOVES
from handlers.operation import SECOND, Operation, Phase
from handlers.resources import Kind, SecurityGroup, Server, Volume
from tests.chaos import move_checks, order_checks, stack_checks, truth
from tests.chaos.afterwards import idle_of, operations_of
from tests.chaos.probe import BY_HEAT
from tests.chaos.scenario import SECRET
from tests.chaos.schedule import Do
from tests.chaos.stage import LIMIT, UNDO, Stage
from tests.chaos.watch import End, Sight

Check = Callable[[Stage], Iterator[str]]


def every_command_ends(stage: Stage) -> Iterator[str]:
    """No command is lost: each that was published has ended, and none stays in the queue."""
    if stage.world.inbox:
        yield f"{len(stage.world.inbox)} commands still lie in the queue"
    for command in stage.world.sent:
        op = stage.ledger.operation(command.id)
        if op is None:
            yield f"{command.name} was lost"
        elif not op.phase.is_final:
            yield f"{command.name} is still {op.phase}"


def ends_in_time(stage: Stage) -> Iterator[str]:
    """Deadline, undo budget, and what standing still and taking over may cost besides."""
    for end in stage.book.ends:
        took = (end.op.finished - end.op.opened) / SECOND
        if took > LIMIT + UNDO + idle_of(stage) + 30:
            yield f"{end.op.command.name} took {took:.0f} s"


def one_end_is_told(stage: Stage) -> Iterator[str]:
    """Each command has exactly one terminal event id, published at least once, and it is true."""
    told: dict[str, set[str]] = {}
    for event in stage.world.published:
        if not event.type.endswith(f".{EventKind.START}"):
            told.setdefault(event.data.operation, set()).add(event.id)
    for op in operations_of(stage):
        kind = EventKind.ERROR if op.phase is Phase.FAILED else EventKind.END
        if told.get(op.id, set()) != {event_id(op.id, kind)}:
            yield f"{op.command.name} is {op.phase}, told {len(told.get(op.id, ()))} ends"
    for name, count in Counter(end.op.id for end in stage.book.ends).items():
        if count > 1:
            yield f"operation {name} ended {count} times"


def ends_are_true(stage: Stage) -> Iterator[str]:
    """Event and record say what is in the cloud, at every end."""
    eyes = truth.Eyesight.under(stage.schedule, idle_of(stage))
    told: list[Ref] = []
    for end in stage.book.ends:
        told += end.op.left
        for problem in truth.of_end(end, told, eyes):
            yield f"{end.op.command.name}: {problem}"


def outages_stay_local(stage: Stage) -> Iterator[str]:
    """Where the only lasting fault is a service that cannot be looked at, a create that fails
    leaves nothing but what that service has, or what hangs on it."""
    rules = stage.schedule.faults
    lasting = [each for each in rules if each.times is None and each.nth is None]
    if any(not isinstance(each.effect, Late | Lose) for each in rules if each not in lasting):
        return
    if any(not each.verb.startswith(("get_", "find_", "changed_")) for each in lasting):
        return
    if any(strike.do is Do.ENGINE for strike in stage.schedule.strikes):
        return
    blind = truth.Eyesight.under(stage.schedule, 0).blind
    if blind & {Kind.SERVER, Kind.STACK}:
        return
    hanging = blind | ({Kind.SECURITY_GROUP} if Kind.PORT in blind else set())
    for end in stage.book.ends:
        if end.op.command.name == "instance.create" and {ref.kind for ref in end.op.left} - hanging:
            yield "things are left of services that were well"


def the_record_holds(stage: Stage) -> Iterator[str]:
    """When all has settled, the record of the subject is what the cloud has."""
    record = stage.ledger.instance(stage.subject)
    if not stage.book.ends:
        return
    last = stage.book.ends[-1]
    sight = truth.owned(stage.look(stage.subject), last)
    left = [ref for end in stage.book.ends for ref in end.op.left]
    for problem in truth.of_record(record, sight, left, truth.wrong_before(last)):
        yield f"in the end {problem}"
    if record and record.state is State.ACTIVE:
        yield from _serves(sight)


def _serves(sight: Sight) -> Iterator[str]:
    """A live instance is whole: a server that runs, plugged into its ports and its volume."""
    servers = [each for each in sight.values() if isinstance(each, Server)]
    for server in servers:
        if server.status != "ACTIVE" or server.task:
            yield f"in the end the server is {server.status}/{server.task}"
        for each in sight.values():
            plugged = (getattr(each, "device", None), *getattr(each, "servers", ()))
            if each.kind in (Kind.PORT, Kind.VOLUME) and server.id not in plugged:
                yield f"in the end the {each.kind} is not plugged in"
            if isinstance(each, Volume) and each.status != "in-use":
                yield f"in the end the volume is {each.status}"


def nothing_is_made_twice(stage: Stage) -> Iterator[str]:
    """Within what the policy allows for, no call ever makes a second thing; Heat makes anew what
    went wrong."""
    if stage.schedule.beyond:
        return
    creates = sum(op.command.name.endswith(".create") for op in operations_of(stage))
    made = Counter((one.kind, one.role) for one in stage.state.audit.made if one.subject)
    if stage.scenario.abilities.twins or _is_meddled_with(stage):
        return  # Heat makes a second set of everything, as it must not, or is told to
    again = sum(step == BY_HEAT for step, _, _ in stage.cloud.faults)
    adopted = sum(op.command.name == "instance.adopt" for op in operations_of(stage))
    for (kind, role), count in made.items():
        if count > max(creates, 1) + again + (adopted if kind is Kind.STACK else 0):
            yield f"{count} times a {kind} was made as {role}"


def nothing_is_unowned(stage: Stage) -> Iterator[str]:
    """Nothing without an owner appeared, and a bystander's things are as they were."""
    mine = set(stage.look(stage.subject)) | set(stage.bystanders)
    for subject, kinds in stage.state.inventory().items():
        if subject not in (stage.subject, stage.bystander):
            strays = {each for ids in kinds.values() for each in ids} - mine
            if strays:
                yield f"{len(strays)} things belong to {subject or 'nobody'}"
    if stage.look(stage.bystander) != stage.bystanders:
        yield "another instance's things were changed"


def access_never_breaks(stage: Stage) -> Iterator[str]:
    """No moment without access that is wanted before and after, or without any at all."""
    groups = {i: r for i, r in stage.look(stage.subject).items() if isinstance(r, SecurityGroup)}
    going = any(supersedes(end.op.command) for end in stage.book.ends)
    for gap in stage.state.audit.gaps:
        if gap.subject != stage.subject:
            continue
        if gap.until is not None and not _asked_for(stage, gap.cidr):
            yield f"{gap.cidr or 'everybody'} was cut off from {gap.ports} for a while"
        if gap.until is None and gap.group in groups and not gap.cidr and not going:
            yield f"nobody reaches {gap.ports} any more"


def _asked_for(stage: Stage, cidr: str) -> bool:
    """Several updates may well take an access away and give it again."""
    return bool(cidr) and sum("rules" in op.command.name for op in operations_of(stage)) > 1


def kept_ids_stay(stage: Stage) -> Iterator[str]:
    """Only creates and deletes change which things there are, and moves which stacks; what is told
    as left is somebody else's doing."""
    for end in stage.book.ends:
        if (
            end.op.command.name.endswith((".create", ".delete"))
            and "rules" not in end.op.command.name
        ):
            continue
        changed = (set(end.before) ^ set(end.after)) - {ref.id for ref in end.op.left}
        if isinstance(end.op.command.body, MOVES):
            changed -= {each for each in changed if _is_stack(end, each)}
        if changed and not stage.scenario.abilities.twins:
            yield f"{end.op.command.name} changed what there is"


def _is_stack(end: End, one: str) -> bool:
    return (end.after.get(one) or end.before[one]).kind is Kind.STACK


def secrets_stay_secret(stage: Stage) -> Iterator[str]:
    """Not in events, not in records, not in what is kept of an operation after its end."""
    for op in operations_of(stage):
        if has_secrets(op.command) and op.phase.is_final:
            yield "a secret was kept after the end"
        shown = msgspec.json.encode(
            (op.timeline, op.learned, op.failure, op.trouble, op.basis, op.left)
        )
        if SECRET.encode() in shown:
            yield f"{op.command.name}: the row shows a secret"
    told = (stage.world.published, stage.ledger.instance(stage.subject))
    if SECRET.encode() in msgspec.json.encode(told):
        yield "a secret was told"


def nothing_broke(stage: Stage) -> Iterator[str]:
    """No step or adapter raised what it must not."""
    yield from stage.defects.seen


#: What may keep a command from going well.
_DISTURBS = (Do.DELETE, Do.NEXT, Do.ENGINE, Do.CANCEL)


def undisturbed_work_succeeds(stage: Stage) -> Iterator[str]:
    """Where the cloud is well and nobody deletes, crashes and pauses cost time, and no more. A way
    back leaves nothing, when only the failure that it is for has happened."""
    if stage.schedule.faults or any(s.do in _DISTURBS for s in stage.schedule.strikes):
        return
    op, scenario = stage.ledger.operation(stage.command.id), stage.scenario
    refused = stage.schedule.manager in scenario.refused
    if _is_meddled_with(stage):
        return
    if op is None:
        yield f"{stage.command.name} was lost"
    elif op.left and not stage.schedule.strikes:
        yield f"{stage.command.name} leaves {len(op.left)} things"
    elif scenario.fails and not stage.schedule.strikes and scenario.fails is not _reason(op):
        yield f"{stage.command.name} fails with {_reason(op)}, not with {scenario.fails}"
    elif scenario.fails:
        return
    elif refused and op.phase is not Phase.FAILED:
        yield f"{stage.command.name} was not refused"
    elif not scenario.always and (op.phase is Phase.FAILED) is not refused:
        yield f"{stage.command.name} failed: {op.failure and op.failure.message}"
    elif op.failure and op.failure.reason is Reason.DEADLINE:
        yield f"{stage.command.name} ran into its deadline"


def _is_meddled_with(stage: Stage) -> bool:
    """Whether somebody updated a stack while it took an instance over, or let it go."""
    moves = isinstance(stage.command.body, MOVES)
    return moves and any(strike.do is Do.MEDDLE for strike in stage.schedule.strikes)


def _reason(op: Operation) -> Reason | None:
    return op.failure.reason if op.failure else None


CHECKS: tuple[Check, ...] = (
    every_command_ends,
    ends_in_time,
    one_end_is_told,
    order_checks.answers_repeat,
    order_checks.subjects_keep_their_order,
    order_checks.the_basis_is_the_last_record,
    order_checks.deletes_supersede,
    ends_are_true,
    outages_stay_local,
    the_record_holds,
    nothing_is_made_twice,
    nothing_is_unowned,
    access_never_breaks,
    kept_ids_stay,
    stack_checks.an_instance_has_its_stack,
    stack_checks.a_stack_owns_what_is_recorded,
    stack_checks.recorded_ids_stay,
    stack_checks.no_server_is_replaced,
    stack_checks.no_data_are_lost,
    stack_checks.what_is_somebodys_stays,
    move_checks.a_move_harms_nothing,
    move_checks.it_is_adopted_or_native,
    move_checks.the_policies_are_as_recorded,
    move_checks.the_volume_goes_with_its_server_as_before,
    secrets_stay_secret,
    nothing_broke,
    undisturbed_work_succeeds,
)


#: What holds also when the ground is taken away: somebody deleted the stack.
BEHIND_OUR_BACK: tuple[Check, ...] = (
    every_command_ends,
    ends_in_time,
    one_end_is_told,
    order_checks.answers_repeat,
    order_checks.subjects_keep_their_order,
    order_checks.the_basis_is_the_last_record,
    stack_checks.recorded_ids_stay,
    stack_checks.no_data_are_lost,
    move_checks.a_move_harms_nothing,
    move_checks.what_is_retained_stays,
    secrets_stay_secret,
    nothing_broke,
)


def problems_of(stage: Stage) -> list[str]:
    """Everything that is wrong after a play; empty when all is well."""
    checks = BEHIND_OUR_BACK if stage.is_bereft else CHECKS
    return [f"{check.__name__}: {problem}" for check in checks for problem in check(stage)]
