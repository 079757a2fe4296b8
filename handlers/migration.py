"""MIGRATION: instances change hands between NATIVES and ORCHESTRATOR while they live.

It owns no resources and makes none: every instance belongs to one of the other two managers, and
its record says to which. This one plans only how an instance goes from one to the other
(docs/adr/0018): its server is never restarted, no id changes, no volume is detached. Until an
adoption is committed its stack retains everything, so that going back costs nothing; a release
makes the stack retain everything before it is deleted, and needs no abandon.
"""

from msgspec.structs import replace

from handlers.adoption import members_of
from handlers.commands import AdoptInstance, Body, ReleaseInstance
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, State
from handlers.keys import SERVER, STACK, VOLUME
from handlers.natives import NAME as NATIVES
from handlers.operation import Operation, Phase
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.recipes import Plan, Recipe, Recipes, Setting, keys_of
from handlers.resources import Kind
from handlers.steps.adopt import AdoptStack, CheckStack, PreviewStack, SameMembers
from handlers.steps.doom import Doom, was_doomed, was_doomed_once
from handlers.steps.let_go import LetGo
from handlers.steps.observe import observe, unharmed
from handlers.steps.policies import SetPolicies
from handlers.steps.twin import TWIN, NothingBeside, ReadTwin, RemoveTwin
from handlers.template import name_of

NAME = "migration"

#: The commands that move an instance, whoever owns it.
MOVES = (AdoptInstance, ReleaseInstance)

COMMIT, RETAIN, LET_GO = "commit", "retain", "let-go"

#: What a stack of ours retains for ever.
_KEPT = (name_of(VOLUME),)


# -- NATIVES -> ORCHESTRATOR ----------------------------------------------------------------------


def _adopt(on: Setting, body: AdoptInstance) -> Plan:
    """Everything is looked at before a stack is made of it, and proven afterwards: Heat verifies
    nothing itself. Only then is what it deletes with the stack as ORCHESTRATOR has it."""
    basis = _movable(on)
    before = observe(basis, needs=on.needs)
    if basis.manager == ORCHESTRATOR:
        later = _commit(on, after=before)
        soaks = basis.soaking and body.commit
        return (*before, later, *unharmed(basis, needs=frozenset({COMMIT}))) if soaks else ()
    keep = Doom(doomed=False, needed=was_doomed, needs=keys_of(before))
    stack = AdoptStack(on.subject, needs=frozenset({keep.key}))
    same = SameMembers(on.subject, needs=frozenset({stack.key}))
    check = CheckStack(on.subject, needs=frozenset({same.key}))
    preview = PreviewStack(on.subject, needs=frozenset({check.key}))
    commit = (_commit(on, after=(preview,)),) if body.commit else ()
    made: Plan = (*before, keep, stack, same, check, preview, *commit)
    return (*made, *unharmed(basis, needs=keys_of(made)))


def _unadopt(on: Setting, body: AdoptInstance) -> Plan:
    """The stack lets go of everything. One that was told to delete what it holds is told otherwise
    first; and where Heat made a second set of resources, exactly that one is removed. What soaked
    before a later commit soaks on."""
    if on.basis is None or SERVER not in on.basis.resources:
        return ()
    retain = SetPolicies(on.subject, COMMIT, write=RETAIN, needed=_is_committing)
    if on.basis.manager == ORCHESTRATOR:
        return (retain,) if on.basis.soaking else ()
    twin = ReadTwin(on.subject, needs=frozenset({retain.key}))
    let_go = LetGo(
        on.subject, STACK, sure=COMMIT, made=True, twin=TWIN, needs=frozenset({twin.key})
    )
    twins = _remove_twins(on.basis, after=let_go)
    return (retain, twin, let_go, *twins, _give_back(let_go), *_look_beside(on, twins))


def _commit(on: Setting, after: Plan = ()) -> SetPolicies:
    """From now on the stack deletes what it holds, but for the data volume."""
    return SetPolicies(on.subject, COMMIT, retained=_KEPT, needs=keys_of(after) | on.needs)


def _remove_twins(basis: Instance, after: LetGo) -> tuple[RemoveTwin, ...]:
    """The server first: it holds on to the rest."""
    needs = frozenset({after.key})
    members = members_of(basis)
    server = RemoveTwin(SERVER, members.pop(SERVER), needs=needs)
    after_server = frozenset({server.key})
    return (server, *(RemoveTwin(key, ref, needs=after_server) for key, ref in members.items()))


def _look_beside(on: Setting, twins: tuple[RemoveTwin, ...]) -> Plan:
    """Each kind as soon as the second ones of it are gone."""
    removed: dict[Kind, set[str]] = {}
    for twin in twins:
        removed.setdefault(twin.ref.kind, set()).add(twin.key)
    return tuple(
        NothingBeside(kind, on.subject, needs=frozenset(keys)) for kind, keys in removed.items()
    )


def _give_back(after: LetGo) -> Doom:
    return Doom(doomed=True, needed=was_doomed, needs=frozenset({after.key}))


def _is_committing(op: Operation) -> bool:
    return op.touched(COMMIT)


# -- ORCHESTRATOR -> NATIVES ----------------------------------------------------------------------


def _release(on: Setting, body: ReleaseInstance) -> Plan:
    """The stack is made to retain everything, and deleted; what it held is looked at before and
    after."""
    basis = _movable(on)
    if basis.manager == NATIVES:
        return ()
    before = observe(basis, needs=on.needs)
    retain = SetPolicies(on.subject, RETAIN, needs=keys_of(before))
    let_go = LetGo(on.subject, LET_GO, sure=RETAIN, pivot=True, needs=frozenset({RETAIN}))
    let_go_done = frozenset({LET_GO})
    give_back = Doom(doomed=True, needed=was_doomed_once, needs=let_go_done, after=LET_GO)
    made: Plan = (*before, retain, let_go, give_back)
    return (*made, *unharmed(basis, needs=keys_of(made)))


def _unrelease(on: Setting, body: ReleaseInstance) -> Plan:
    """The stack deletes again what it is there to delete; one that soaks, nothing. Where it has
    gone already, the instance is native, and is as it was before it had one."""
    kept = None if on.basis and on.basis.soaking else _KEPT
    restore = SetPolicies(
        on.subject, RETAIN, retained=kept, write="restore", needed=_is_to_be_restored
    )
    give_back = Doom(doomed=True, needed=_is_to_be_doomed, needs=frozenset({RETAIN}), after=LET_GO)
    moves = on.basis is not None and on.basis.manager == ORCHESTRATOR
    return (restore, give_back) if moves else ()


def _is_to_be_doomed(op: Operation) -> bool:
    return was_doomed_once(op) and op.touched(LET_GO)


def _is_to_be_restored(op: Operation) -> bool:
    return op.touched(RETAIN)


# -- who may move, and what the record says afterwards --------------------------------------------


def _movable(on: Setting) -> Instance:
    """The record of an instance that may change hands; Terminal for others."""
    basis = on.basis
    if basis is None or SERVER not in basis.resources:
        raise Terminal(f"{on.subject} has no server: only instances move", Reason.INVALID)
    if basis.pinned:
        text = f"{on.subject} is pinned to {basis.manager}: 'instances unpin' lets it move"
        raise Terminal(text, Reason.REFUSED)
    if basis.state is State.ERROR:
        text = f"{on.subject} is recorded in error: repair it, or delete it"
        raise Terminal(text, Reason.REFUSED)
    return basis


def _adopted(base: Instance, body: AdoptInstance) -> Instance:
    """It belongs to ORCHESTRATOR."""
    soaking = not body.commit and (base.manager != ORCHESTRATOR or base.soaking)
    return replace(base, manager=ORCHESTRATOR, soaking=soaking)


def _released(base: Instance, body: Body) -> Instance:
    """It belongs to NATIVES, and has no stack."""
    members = {key: ref for key, ref in base.resources.items() if key != STACK}
    return replace(base, manager=NATIVES, resources=members, soaking=False, doomed=False)


def _with_what_is_left(record: Instance, op: Operation) -> Instance:
    """A stack that could not be removed stays with the record, for the deletion that may follow;
    without an id where nobody knows it."""
    for ref in op.left:
        if ref.kind is Kind.STACK:
            return replace(record, resources={**record.resources, STACK: ref})
    return record


class Migration(Recipes):
    """The manager that instances pass through."""

    def __init__(self) -> None:
        super().__init__(
            NAME,
            {
                AdoptInstance: Recipe(_adopt, _unadopt, _adopted),
                ReleaseInstance: Recipe(_release, _unrelease, _released),
            },
        )

    def record(self, op: Operation) -> Instance | None:
        """One manager's or the other's, never between: an adoption that failed leaves an instance
        of NATIVES, a release one of NATIVES from the moment at which its stack is told to go."""
        if op.basis is None:
            return None
        if op.phase is Phase.SUCCEEDED:
            record = super().record(op)
            doomed = was_doomed(op) and record is not None and record.manager == ORCHESTRATOR
            return replace(record, doomed=record.doomed or doomed) if record else None
        state = State.ERROR if op.left else op.basis.state
        record = replace(op.basis, state=state)
        if isinstance(op.command.body, ReleaseInstance) and op.touched(LET_GO):
            record = _released(record, op.command.body)
        return _with_what_is_left(record, op)
