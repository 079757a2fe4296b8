"""Security groups and their rules."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from msgspec.structs import replace

from handlers.base import Answer, Cloud, Next
from handlers.commands import UpdateSecurityGroupRules
from handlers.errors import Reason, Terminal
from handlers.instance import Ref
from handlers.keys import GROUP
from handlers.operation import Facts, Operation
from handlers.orders import Rules
from handlers.parts import Access
from handlers.resources import (
    Absent,
    ById,
    Kind,
    PortRange,
    Query,
    Rule,
    SecurityGroup,
    Seen,
    Service,
)
from handlers.steps.ensure import Ensure

RULES = "rules"


def ensure_security_group(subject: str, text: str) -> Ensure:
    """The subject's security group; Neutron answers with the finished thing."""
    return Ensure(
        key=GROUP,
        kind=Kind.SECURITY_GROUP,
        subject=subject,
        make=lambda op, world: world.create_security_group(subject, GROUP, text),
        ready=lambda group: Next.DONE,
        facts=lambda group: {},
    )


def rules_of(access: Access) -> tuple[Rule, ...]:
    """One rule per port range × CIDR, CIDRs as Neutron writes them."""
    return product(access.ports, access.cidrs)


def product(ports: Iterable[PortRange], cidrs: Iterable[str]) -> tuple[Rule, ...]:
    """Port ranges × CIDRs, each once."""
    networks = [str(ip_network(cidr, strict=False)) for cidr in cidrs]
    return tuple(dict.fromkeys(Rule(ports=each, cidr=cidr) for each in ports for cidr in networks))


def new_rules(body: UpdateSecurityGroupRules, there: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Raises Terminal where access is asked for, but to no port at all."""
    new = replacing(body, there)
    if body.cidrs and not new:
        raise Terminal("the group has no rules to replace: name the ports", Reason.INVALID)
    return new


def replacing(body: UpdateSecurityGroupRules, there: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules that the update wants, on the port ranges that it is about."""
    return product(body.ports or dict.fromkeys(rule.ports for rule in there), body.cidrs)


def replaced(body: UpdateSecurityGroupRules, there: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules that the update takes away."""
    ports = body.ports or {rule.ports for rule in there}
    new = set(replacing(body, there))
    return tuple(rule for rule in there if rule.ports in ports and rule.wanted not in new)


def present_rules(seen: Seen) -> tuple[Rule, ...]:
    """The rules of the group that was seen."""
    if isinstance(seen, Absent):
        return ()
    group = seen.matches[0]
    return group.rules if isinstance(group, SecurityGroup) else ()


def told_rules(rules: Iterable[Rule]) -> list[list[str | int]]:
    """Rules as facts."""
    return [[one.ports.protocol, one.ports.first, one.ports.last, one.cidr] for one in rules]


def rules_told(facts: Iterable[tuple[str, int, int, str]]) -> tuple[Rule, ...]:
    """The rules that `told_rules` told."""
    return tuple(
        Rule(ports=PortRange(protocol, first, last), cidr=cidr)
        for protocol, first, last, cidr in facts
    )


#: Which rules a step picks, given the operation and what is there; pure.
Pick = Callable[[Operation, tuple[Rule, ...]], tuple[Rule, ...]]


@dataclass(frozen=True, slots=True)
class AddRules:
    """Add what is missing of the wanted rules, in one atomic bulk POST.

    `fresh` says that this operation makes the group itself: before the first call it is empty
    without a look. Otherwise it keeps what it added, so that the way back takes no more than that.
    """

    wanted: Pick
    key: str = RULES
    needs: frozenset[str] = frozenset({GROUP})
    fresh: bool = False
    service: Service = Service.NETWORK
    unique: bool = True
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        if self.fresh and not op.touched(self.key):
            return None
        return _group_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        if isinstance(seen, Absent) and not self.fresh:
            raise Terminal("the security group does not exist any more", Reason.NOT_FOUND)
        return Next.ACT if self._missing(op, seen) else Next.DONE

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        group, missing = op.known_id(GROUP) or "", self._missing(op, seen)
        answer = world.create_rules(Rules(group=group, rules=missing))
        facts: Facts = {} if self.fresh else {"added": told_rules(missing)}
        return replace(answer, settled=True, resources=(), facts=facts)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()

    def _missing(self, op: Operation, seen: Seen) -> tuple[Rule, ...]:
        there = {rule.wanted for rule in present_rules(seen)}
        return tuple(rule for rule in self.wanted(op, present_rules(seen)) if rule not in there)


@dataclass(frozen=True, slots=True)
class RemoveRules:
    """Remove the rules that `unwanted` picks, one DELETE per act.

    `only_if_touched`: on the way back, nothing is to be removed that was never added.
    """

    unwanted: Pick
    key: str
    needs: frozenset[str] = frozenset()
    service: Service = Service.NETWORK
    unique: bool = False
    pivot: bool = True
    only_if_touched: bool = False

    def wants(self, op: Operation) -> Query | None:
        return None if self.only_if_touched and not op.touched(self.key) else _group_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        return Next.ACT if self.unwanted(op, present_rules(seen)) else Next.DONE

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        extra = self.unwanted(op, present_rules(seen))
        return replace(world.delete_rule(extra[0].id), settled=len(extra) == 1)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        known = op.known_id(GROUP)
        if known is None or not op.touched(self.key):
            return ()
        note = "rules that should go may still be there"
        return (Ref(kind=Kind.SECURITY_GROUP, id=known, role=GROUP, note=note),)


def _group_query(op: Operation) -> Query:
    known = op.known_id(GROUP)
    if known is None:
        raise Terminal(f"no security group is known for {op.subject}", Reason.NOT_FOUND)
    return ById(Kind.SECURITY_GROUP, known)
