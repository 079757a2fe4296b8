"""Recipes: how a command is done, how it is undone, and what the record says afterwards.

What the managers do alike stands here: the rules of a security group, and the records that their
commands leave. A manager is a table of recipes (natives.py, orchestrator.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from handlers.base import Step
from handlers.commands import (
    Body,
    Command,
    CreateInstance,
    CreateSecurityGroup,
    CreateSecurityGroupRules,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Ref, State
from handlers.operation import Operation, Phase
from handlers.records import base_record, failed_record, leftovers_of
from handlers.resources import Rule
from handlers.steps.claim import claims_of
from handlers.steps.security_groups import (
    RULES,
    AddRules,
    RemoveRules,
    new_rules,
    replaced,
    replacing,
    rules_of,
    rules_told,
)

Plan = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a plan is made for: the subject, its record, the claims of what the command names."""

    subject: str
    basis: Instance | None
    claims: Plan = ()

    @property
    def needs(self) -> frozenset[str]:
        """The keys of the claims: nothing is touched before they are done."""
        return keys_of(self.claims)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one command is done, how it is undone, and what the record says after it succeeded."""

    plan: Callable[..., Plan]
    undo: Callable[..., Plan]
    record: Callable[..., Instance]


class Recipes:
    """The manager that a table of recipes makes."""

    def __init__(self, name: str, recipes: Mapping[type[Body], Recipe]) -> None:
        self.name = name
        self._recipes = recipes

    def plan(self, command: Command, basis: Instance | None) -> Plan:
        claims = claims_of(command, basis)
        on = Setting(subject=command.subject, basis=basis, claims=claims)
        return (*claims, *self._recipe(command).plan(on, command.body))

    def undo(self, command: Command, basis: Instance | None) -> Plan:
        on = Setting(subject=command.subject, basis=basis)
        return self._recipe(command).undo(on, command.body)

    def record(self, op: Operation) -> Instance | None:
        if op.phase is Phase.SUCCEEDED:
            return self._recipe(op.command).record(base_record(op), op.command.body)
        return failed_record(op, self.plan(op.command, op.basis), op.left)

    def leftovers(self, op: Operation) -> tuple[Ref, ...]:
        plan = self.undo if op.phase is Phase.UNDO else self.plan
        return leftovers_of(op, plan(op.command, op.basis))

    def _recipe(self, command: Command) -> Recipe:
        recipe = self._recipes.get(type(command.body))
        if recipe is None:
            raise Terminal(f"{self.name.upper()} cannot do {command.name}", Reason.UNSUPPORTED)
        return recipe


def keys_of(steps: Plan) -> frozenset[str]:
    """The keys of some steps, as what another one needs."""
    return frozenset(step.key for step in steps)


def no_way_back(on: Setting, body: Body) -> Plan:
    """Nothing to undo: past its first call it can only go on, or be resumed."""
    return ()


# -- records --------------------------------------------------------------------------------------


def created(base: Instance, body: CreateInstance) -> Instance:
    """An instance as its create asked for it."""
    return replace(
        base,
        flavor=body.flavor,
        volume_size=body.volume.size if body.volume else 0,
        rules=rules_of(body.access),
    )


def created_group(base: Instance, body: CreateSecurityGroup) -> Instance:
    """A group as its create asked for it."""
    return replace(base, rules=rules_of(body.access))


def deleted(base: Instance, body: Body) -> Instance:
    """A tombstone."""
    return Instance(id=base.id, scope=base.scope, manager=base.manager, state=State.DELETED)


def resized(base: Instance, body: ResizeInstance) -> Instance:
    """The new flavor."""
    return replace(base, flavor=body.flavor)


def grown(base: Instance, body: ResizeVolume) -> Instance:
    """The new size."""
    return replace(base, volume_size=body.size)


# -- the rules of a group -------------------------------------------------------------------------


def first_rules(body: CreateInstance | CreateSecurityGroup, needs: frozenset[str]) -> Plan:
    """The rules of a group that this operation makes."""
    wanted = rules_of(body.access)
    return (AddRules(wanted=lambda op, there: wanted, fresh=True, needs=needs),) if wanted else ()


def _add_rules(on: Setting, body: CreateSecurityGroupRules) -> Plan:
    wanted = rules_of(body.access)
    return (AddRules(wanted=lambda op, there: wanted, needs=on.needs),)


def _unadd_rules(on: Setting, body: CreateSecurityGroupRules) -> Plan:
    return (_take_back(lambda op: rules_of(body.access)),)


def _added_rules(base: Instance, body: CreateSecurityGroupRules) -> Instance:
    return replace(base, rules=tuple(dict.fromkeys((*base.rules, *rules_of(body.access)))))


def _update_rules(on: Setting, body: UpdateSecurityGroupRules) -> Plan:
    """Add before remove: there is no moment without the access that stays."""
    add = AddRules(wanted=lambda op, there: new_rules(body, there), needs=on.needs)
    remove = RemoveRules(
        unwanted=lambda op, there: replaced(body, there),
        key="old-rules",
        needs=frozenset({add.key}),
    )
    return (add, remove)


def _unupdate_rules(on: Setting, body: UpdateSecurityGroupRules) -> Plan:
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


#: The same for every manager: rules are Neutron's own, also on the group of a stack.
RULES_RECIPES: dict[type[Body], Recipe] = {
    CreateSecurityGroupRules: Recipe(_add_rules, _unadd_rules, _added_rules),
    UpdateSecurityGroupRules: Recipe(_update_rules, _unupdate_rules, _updated_rules),
}
