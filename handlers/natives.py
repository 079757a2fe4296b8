"""NATIVES: plans of servers, volumes, ports and security groups, made by the services themselves.

Read it top-down: a command's recipe names its plan, its way back and the record it leaves. A plan
is a tuple of shared steps (handlers/steps). To add a command, add a recipe.
"""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from handlers.base import Step
from handlers.commands import (
    Body,
    Command,
    CreateInstance,
    CreateSecurityGroup,
    CreateSecurityGroupRules,
    DeleteInstance,
    DeleteSecurityGroup,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Ref, State
from handlers.operation import Operation, Phase
from handlers.records import base_record, failed_record, leftovers_of
from handlers.resources import Kind, Rule
from handlers.steps.audit import Audit
from handlers.steps.claim import claims_of
from handlers.steps.ports import ensure_port
from handlers.steps.remove import Remove
from handlers.steps.security_groups import (
    GROUP,
    RULES,
    AddRules,
    RemoveRules,
    ensure_security_group,
    new_rules,
    replaced,
    replacing,
    rules_of,
    rules_told,
)
from handlers.steps.servers import SERVER, Confirm, Resize, Revert, ensure_server
from handlers.steps.volumes import VOLUME, Extend, ensure_volume

NAME = "natives"

Plan = tuple[Step, ...]


# -- create and delete an instance ----------------------------------------------------------------


def _create(subject: str, body: CreateInstance, claims: Plan) -> Plan:
    """The volume builds while group, rules and ports are made; the server comes last."""
    ports = _port_keys(body)
    volume = (ensure_volume(subject, body.volume),) if body.volume else ()
    group = ensure_security_group(subject, body.name)
    wanted = rules_of(body.access)
    rules = (AddRules(wanted=lambda op, there: wanted, fresh=True),) if wanted else ()
    before = frozenset({GROUP, *ports, *(s.key for s in volume), *(s.key for s in rules)})
    steps: Plan = (
        *volume,
        group,
        *rules,
        *(ensure_port(subject, key, net) for key, net in zip(ports, body.networks, strict=True)),
        ensure_server(subject, body, ports, needs=before),
    )
    return (*steps, *_audits(subject, after=steps))


def _uncreate(subject: str, body: CreateInstance) -> Plan:
    """Remove, in the order in which the cloud lets go, what the create may have made."""
    ports = _port_keys(body)
    after_server = frozenset({SERVER})
    return (
        Remove(SERVER, Kind.SERVER, subject),
        *((Remove(VOLUME, Kind.VOLUME, subject, needs=after_server),) if body.volume else ()),
        *(Remove(key, Kind.PORT, subject, needs=after_server) for key in ports),
        Remove(GROUP, Kind.SECURITY_GROUP, subject, needs=frozenset(ports)),
    )


def _created(base: Instance, body: CreateInstance) -> Instance:
    return replace(
        base,
        flavor=body.flavor,
        volume_size=body.volume.size if body.volume else 0,
        rules=rules_of(body.access),
    )


def _delete(subject: str, body: DeleteInstance, claims: Plan) -> Plan:
    """Everything that carries the subject's identity, whatever the ledger knew of it."""
    server = Remove("servers", Kind.SERVER, subject, everything=True, needs=_keys(claims))
    after_server = frozenset({server.key})
    return (
        *claims,
        server,
        Remove("volumes", Kind.VOLUME, subject, everything=True, needs=after_server),
        Remove("ports", Kind.PORT, subject, everything=True, needs=after_server),
        Remove(
            "security-groups",
            Kind.SECURITY_GROUP,
            subject,
            everything=True,
            needs=frozenset({"ports"}),
        ),
    )


def _deleted(base: Instance, body: Body) -> Instance:
    return Instance(id=base.id, scope=base.scope, manager=base.manager, state=State.DELETED)


# -- resize ---------------------------------------------------------------------------------------


def _resize(subject: str, body: ResizeInstance, claims: Plan) -> Plan:
    return (*claims, Resize(body.flavor, needs=_keys(claims)), Confirm(body.flavor))


def _unresize(subject: str, body: ResizeInstance) -> Plan:
    return (Revert(body.flavor),)


def _resized(base: Instance, body: ResizeInstance) -> Instance:
    return replace(base, flavor=body.flavor)


def _grow(subject: str, body: ResizeVolume, claims: Plan) -> Plan:
    return (*claims, Extend(body.size, key="extend", needs=_keys(claims)))


def _grown(base: Instance, body: ResizeVolume) -> Instance:
    return replace(base, volume_size=body.size)


# -- security groups ------------------------------------------------------------------------------


def _create_group(subject: str, body: CreateSecurityGroup, claims: Plan) -> Plan:
    wanted = rules_of(body.access)
    steps: Plan = (
        ensure_security_group(subject, f"{body.name} {body.description}".strip()),
        *((AddRules(wanted=lambda op, there: wanted, fresh=True),) if wanted else ()),
    )
    return (*steps, Audit(Kind.SECURITY_GROUP, subject, needs=_keys(steps)))


def _uncreate_group(subject: str, body: CreateSecurityGroup) -> Plan:
    return (Remove(GROUP, Kind.SECURITY_GROUP, subject),)


def _delete_group(subject: str, body: DeleteSecurityGroup, claims: Plan) -> Plan:
    """The group only: the subject may turn out to be an instance that the ledger does not know."""
    return (Remove("security-groups", Kind.SECURITY_GROUP, subject, everything=True),)


def _created_group(base: Instance, body: CreateSecurityGroup) -> Instance:
    return replace(base, rules=rules_of(body.access))


def _add_rules(subject: str, body: CreateSecurityGroupRules, claims: Plan) -> Plan:
    wanted = rules_of(body.access)
    return (*claims, AddRules(wanted=lambda op, there: wanted, needs=_keys(claims)))


def _added_rules(base: Instance, body: CreateSecurityGroupRules) -> Instance:
    return replace(base, rules=tuple(dict.fromkeys((*base.rules, *rules_of(body.access)))))


def _unadd_rules(subject: str, body: CreateSecurityGroupRules) -> Plan:
    return (_take_back(lambda op: rules_of(body.access)),)


def _update_rules(subject: str, body: UpdateSecurityGroupRules, claims: Plan) -> Plan:
    """Add before remove: there is no moment without the access that stays."""
    add = AddRules(wanted=lambda op, there: new_rules(body, there), needs=_keys(claims))
    remove = RemoveRules(
        unwanted=lambda op, there: replaced(body, there),
        key="old-rules",
        needs=frozenset({add.key}),
    )
    return (*claims, add, remove)


def _unupdate_rules(subject: str, body: UpdateSecurityGroupRules) -> Plan:
    return (_take_back(lambda op: replacing(body, base_record(op).rules)),)


def _updated_rules(base: Instance, body: UpdateSecurityGroupRules) -> Instance:
    gone = {rule.wanted for rule in replaced(body, base.rules)}
    kept = [rule for rule in base.rules if rule.wanted not in gone]
    return replace(base, rules=tuple(dict.fromkeys((*kept, *replacing(body, base.rules)))))


def _take_back(added: Callable[[Operation], tuple[Rule, ...]]) -> RemoveRules:
    """Remove the rules that the command added: a failed update leaves the old access."""

    def unwanted(op: Operation, there: tuple[Rule, ...]) -> tuple[Rule, ...]:
        told = op.fact(RULES, "added")  # not known when the call's answer was lost
        new = set(added(op)) - set(base_record(op).rules) if told is None else set(rules_told(told))
        return tuple(rule for rule in there if rule.wanted in new)

    return RemoveRules(unwanted=unwanted, key=RULES, only_if_touched=True, pivot=False)


# -- what every plan uses -------------------------------------------------------------------------


def _port_keys(body: CreateInstance) -> tuple[str, ...]:
    """Step keys of the ports: their role and their place among the ports of that role."""
    seen: dict[str, int] = {}
    keys = []
    for network in body.networks:
        index = seen.get(network.role, 0)
        seen[network.role] = index + 1
        keys.append(f"port/{network.role}-{index}")
    return tuple(keys)


def _keys(steps: Plan) -> frozenset[str]:
    return frozenset(step.key for step in steps)


def _audits(subject: str, after: Plan) -> Plan:
    """Look for doubles of every kind, servers first: they hold on to the rest."""
    server = Audit(Kind.SERVER, subject, needs=_keys(after))
    rest = (Kind.VOLUME, Kind.PORT, Kind.SECURITY_GROUP)
    return (server, *(Audit(kind, subject, needs=frozenset({server.key})) for kind in rest))


# -- the recipes ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one command is done, how it is undone, and what the record says after it succeeded."""

    plan: Callable[..., Plan]
    undo: Callable[..., Plan]
    record: Callable[..., Instance]


def _no_way_back(subject: str, body: Body) -> Plan:
    return ()


RECIPES: dict[type[Body], Recipe] = {
    CreateInstance: Recipe(_create, _uncreate, _created),
    DeleteInstance: Recipe(_delete, _no_way_back, _deleted),
    ResizeInstance: Recipe(_resize, _unresize, _resized),
    ResizeVolume: Recipe(_grow, _no_way_back, _grown),
    CreateSecurityGroup: Recipe(_create_group, _uncreate_group, _created_group),
    DeleteSecurityGroup: Recipe(_delete_group, _no_way_back, _deleted),
    CreateSecurityGroupRules: Recipe(_add_rules, _unadd_rules, _added_rules),
    UpdateSecurityGroupRules: Recipe(_update_rules, _unupdate_rules, _updated_rules),
}


class Natives:
    """The manager that works on Nova, Cinder and Neutron without a Heat in between."""

    name = NAME

    def plan(self, command: Command, basis: Instance | None) -> Plan:
        claims = claims_of(command, basis)
        return _recipe(command).plan(command.subject, command.body, claims)

    def undo(self, command: Command, basis: Instance | None) -> Plan:
        return _recipe(command).undo(command.subject, command.body)

    def record(self, op: Operation) -> Instance | None:
        if op.phase is Phase.SUCCEEDED:
            return _recipe(op.command).record(base_record(op), op.command.body)
        return failed_record(op, self.plan(op.command, op.basis), op.left)

    def leftovers(self, op: Operation) -> tuple[Ref, ...]:
        plan = self.undo if op.phase is Phase.UNDO else self.plan
        return leftovers_of(op, plan(op.command, op.basis))


def _recipe(command: Command) -> Recipe:
    recipe = RECIPES.get(type(command.body))
    if recipe is None:
        raise Terminal(f"NATIVES cannot do {command.name}", Reason.UNSUPPORTED)
    return recipe
