"""ORCHESTRATOR: one Heat stack per instance.

Heat makes what an instance is made of, changes its flavor and deletes it. What Heat cannot change
without harm on every cloud is done natively on the stack's resources, in a way that leaves nothing
wrong in Heat's view of them (docs/adr/0014): rules are Neutron's own, and a volume is extended by
Cinder before the stack is told of its size.
"""

from collections.abc import Callable

from msgspec.structs import replace

from handlers.commands import (
    Body,
    CreateInstance,
    CreateSecurityGroup,
    DeleteInstance,
    DeleteSecurityGroup,
    ResizeInstance,
    ResizeVolume,
)
from handlers.instance import Instance, State
from handlers.keys import GROUP, GROUP_STACK, SERVER, STACK, VOLUME, port_keys
from handlers.operation import SECOND, Operation, Phase
from handlers.recipes import (
    RULES_RECIPES,
    Plan,
    Recipe,
    Recipes,
    Setting,
    created,
    created_group,
    deleted,
    first_rules,
    grown,
    keys_of,
    no_way_back,
    resized,
)
from handlers.resources import Kind
from handlers.steps.recorded import recorded
from handlers.steps.remove import Remove, remove_everything, remove_groups
from handlers.steps.servers import Confirm, HasFlavor, Resize
from handlers.steps.stack_members import Members
from handlers.steps.stack_removal import RemoveStack
from handlers.steps.stack_trust import (
    SoundStack,
    Trusted,
    is_drifted,
    is_told_all,
    is_told_little,
)
from handlers.steps.stack_undo import (
    ALIGN,
    FINISH,
    REALIGN,
    OnlyIf,
    Restore,
    SettleServer,
    StopUpdate,
    is_complete,
    is_finishing,
    is_only_aligned,
    is_to_restore,
    is_updated,
    unaligned,
)
from handlers.steps.stack_verdict import Resized
from handlers.steps.stacks import UPDATE, EnsureStack, UpdateStack
from handlers.steps.volumes import Extend
from handlers.template import (
    FLAVOR,
    VOLUME_SIZE,
    Document,
    group_document,
    instance_document,
    values_of,
)

NAME = "orchestrator"

EXTEND = "extend"

#: How old a server may be that Heat lost sight of in a create that failed, and left without a tag.
_LONG_AGO = 30 * 24 * 3600 * SECOND


# -- create and delete an instance ----------------------------------------------------------------


def _create(on: Setting, body: CreateInstance) -> Plan:
    """Heat makes it all; the rules follow as soon as their group is known. The server is looked at:
    a stack may say CREATE_COMPLETE without one (measured on Heat 27, at its time limit)."""
    volume = (VOLUME,) if body.volume else ()
    members = (SERVER, *volume, *port_keys(body.networks), GROUP)
    made = _make(on, STACK, lambda: instance_document(on.subject, body), members)
    runs = HasFlavor(body.flavor, subject=on.subject, needs=frozenset({made[-1].key}))
    return (*made, runs, *first_rules(body, needs=frozenset({runs.key})))


def _uncreate(on: Setting, body: CreateInstance) -> Plan:
    """The stack, the volume that it retains, and what Heat may have lost sight of."""
    stack = RemoveStack(on.subject)
    server = _remove(on, SERVER, Kind.SERVER, after=(stack,))
    volume = (_remove(on, VOLUME, Kind.VOLUME, after=(server,)),) if body.volume else ()
    ports = tuple(_remove(on, key, Kind.PORT, after=(server,)) for key in port_keys(body.networks))
    group = _remove(on, GROUP, Kind.SECURITY_GROUP, after=(server, *ports))
    return (stack, server, *volume, *ports, group, _finally(on, stack, after=(*volume, group)))


def _delete(on: Setting, body: DeleteInstance) -> Plan:
    """The stack, then natively all that still carries the subject's identity: the volume that the
    stack retains, and whatever Heat could not delete."""
    stack = RemoveStack(on.subject, everything=True, needs=on.needs)
    lost = on.basis is not None and on.basis.state is State.ERROR
    rest = remove_everything(
        on.subject, needs=frozenset({stack.key}), reach=_LONG_AGO if lost else None
    )
    return (stack, *rest, _finally(on, stack, after=rest))


# -- resize ---------------------------------------------------------------------------------------


def _resize(on: Setting, body: ResizeInstance) -> Plan:
    """By Heat, which confirms at once. A server that somebody gave another flavor behind Heat's
    back gets the recorded one first: Heat would fail. Where Heat believes that it has the new one
    already, and does nothing, Nova is asked: only then do all agree."""
    there, old = _look(on), _flavor(on)
    align = Resize(old, key=ALIGN, needs=keys_of(there))
    aligned = Confirm(old, key="aligned", needs=frozenset({align.key}), pivot=False)
    if body.flavor == old and _is_sound(on):
        return (*there, align, aligned)
    runs = HasFlavor(old, key="runs", running=True, needs=frozenset({aligned.key}))
    values = {**values_of(on.basis), FLAVOR: body.flavor}
    update = UpdateStack(on.subject, values, explained=True, needs=frozenset({runs.key}))
    finish = Resize(body.flavor, key=FINISH, needs=frozenset({update.key}))
    finished = Confirm(
        body.flavor, key="finished", needs=frozenset({update.key, FINISH}), pivot=False
    )
    native = (OnlyIf(finish, is_complete), OnlyIf(finished, is_finishing))
    verify = Resized(body.flavor, needs=keys_of(native))
    return (*there, align, aligned, runs, update, *native, verify)


def _unresize(on: Setting, body: ResizeInstance) -> Plan:
    """Back to the last good values; then the server is looked at, for Heat may have gone on with
    what it was told to stop. A server that was on its way to the recorded flavor is stopped too.
    Where Heat did nothing it is told nothing: it would resize a server that has that flavor."""
    unalign = SettleServer(key=ALIGN)
    stop = StopUpdate(on.subject)
    unfinish = SettleServer(key=FINISH)
    settle = SettleServer(needs=frozenset({stop.key, unfinish.key}))
    restore = Restore(on.subject, values_of(on.basis), needs=frozenset({settle.key}))
    align = Resize(_flavor(on), key=REALIGN, needs=frozenset({restore.key}))
    aligned = Confirm(_flavor(on), key="realigned", needs=frozenset({align.key}))
    return (
        OnlyIf(unalign, is_only_aligned),
        OnlyIf(unfinish, is_finishing),
        OnlyIf(stop, is_updated),
        OnlyIf(settle, is_updated),
        OnlyIf(restore, is_to_restore),
        OnlyIf(align, is_updated),
        OnlyIf(aligned, is_updated, tells=unaligned),
    )


def _grow(on: Setting, body: ResizeVolume) -> Plan:
    """By Cinder, online; then the stack is told, which makes Heat do nothing. A Heat of another age
    would detach the volume, and one that fails in it would replace it next time. Of the flavor it
    is told only after a failure, and where that is the recorded one: it might resize the server."""
    there = _look(on)
    if on.basis and body.size == on.basis.volume_size and _is_sound(on):
        return (*there, Extend(body.size, key=EXTEND, needs=keys_of(there)))
    trusted = OnlyIf(Trusted(needs=keys_of(there)), is_drifted)
    extend = Extend(body.size, key=EXTEND, needs=frozenset({trusted.key}))
    size = {VOLUME_SIZE: body.size}
    needs = frozenset({EXTEND})
    update = UpdateStack(on.subject, {**values_of(on.basis), **size}, tells=EXTEND, needs=needs)
    size_only = UpdateStack(on.subject, size, tells=EXTEND, key="update-size", needs=needs)
    return (
        *there,
        trusted,
        extend,
        OnlyIf(update, is_told_all),
        OnlyIf(size_only, is_told_little),
    )


# -- a security group of its own ------------------------------------------------------------------


def _create_group(on: Setting, body: CreateSecurityGroup) -> Plan:
    made = _make(on, GROUP_STACK, lambda: group_document(on.subject, body), (GROUP,))
    return (*made, *first_rules(body, needs=frozenset({made[-1].key})))


def _uncreate_group(on: Setting, body: CreateSecurityGroup) -> Plan:
    stack = RemoveStack(on.subject, key=GROUP_STACK)
    group = _remove(on, GROUP, Kind.SECURITY_GROUP, after=(stack,), maker=GROUP_STACK)
    return (stack, group, _finally(on, stack, after=(group,)))


def _delete_group(on: Setting, body: DeleteSecurityGroup) -> Plan:
    """The group only: the subject may turn out to be an instance that the ledger does not know."""
    stack = RemoveStack(on.subject, everything=True, key=GROUP_STACK)
    groups = remove_groups(on.subject, needs=frozenset({stack.key}))
    return (stack, groups, _finally(on, stack, after=(groups,)))


# -- what every plan uses -------------------------------------------------------------------------


def _make(
    on: Setting,
    key: str,
    document: Callable[[], Document],
    members: tuple[str, ...],
) -> Plan:
    """A stack, and the ids of what it made."""
    stack = EnsureStack(on.subject, document, key=key)
    told = Members(on.subject, members, stack=key, needs=frozenset({key}))
    return (stack, told)


def _remove(on: Setting, key: str, kind: Kind, after: Plan, maker: str = STACK) -> Remove:
    reach = 0 if kind is Kind.SERVER else None
    return Remove(key, kind, on.subject, maker=maker, reach=reach, needs=keys_of(after))


def _finally(on: Setting, stack: RemoveStack, after: Plan) -> RemoveStack:
    """The stack once more, if it would not go before what it owned was gone."""
    return RemoveStack(on.subject, rest_of=stack.key, key="stack-rest", needs=keys_of(after))


def _look(on: Setting) -> Plan:
    """The stack is at rest, and what it owns is there: looked at before anything is changed."""
    sound = SoundStack(needs=on.needs)
    return (sound, *recorded(on.basis, needs=frozenset({sound.key})))


def _is_sound(on: Setting) -> bool:
    """Whether Heat was told of what is recorded: a failure may have left it behind."""
    return on.basis is not None and on.basis.state is State.ACTIVE


def _flavor(on: Setting) -> str:
    return on.basis.flavor if on.basis else ""


def _grown_or_not(op: Operation, record: Instance | None) -> Instance | None:
    """A volume that was extended has its new size, also when the stack could not be told."""
    if record is None or EXTEND not in op.done:
        return record
    return replace(record, volume_size=op.fact(EXTEND, "size", record.volume_size))


def _healed_or_not(op: Operation, record: Instance | None) -> Instance | None:
    """After an update that went well nothing is wrong any more: it found all that is recorded, and
    gave Heat every value."""
    if record is None or op.phase is not Phase.SUCCEEDED or not op.touched(UPDATE):
        return record
    return replace(record, state=State.ACTIVE)


# -- the recipes ----------------------------------------------------------------------------------

RECIPES: dict[type[Body], Recipe] = {
    CreateInstance: Recipe(_create, _uncreate, created),
    DeleteInstance: Recipe(_delete, no_way_back, deleted),
    ResizeInstance: Recipe(_resize, _unresize, resized),
    ResizeVolume: Recipe(_grow, no_way_back, grown),
    CreateSecurityGroup: Recipe(_create_group, _uncreate_group, created_group),
    DeleteSecurityGroup: Recipe(_delete_group, no_way_back, deleted),
    **RULES_RECIPES,
}


class Orchestrator(Recipes):
    """The manager that has Heat work for it."""

    def __init__(self) -> None:
        super().__init__(NAME, RECIPES)

    def record(self, op: Operation) -> Instance | None:
        return _healed_or_not(op, _grown_or_not(op, super().record(op)))
