"""OS::Neutron::SecurityGroup, with the rules that stand in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.network import RuleSpec
from handlers.clouds.memory.orchestration.kinds.base import Property, Values
from handlers.clouds.memory.orchestration.natives import Natives, Steps
from handlers.clouds.memory.orchestration.refusals import invalid
from handlers.clouds.memory.things import GroupThing, RuleThing, StackResource, StackThing
from handlers.identity import role_of, subject_of
from handlers.resources import PortRange, Service


class SecurityGroups:
    """A group; an update of `rules` removes what is not wanted and then makes what is missing:
    between the two there is no access (measured)."""

    type = "OS::Neutron::SecurityGroup"

    def __init__(self, natives: Natives) -> None:
        self._natives = natives
        self._groups = natives.core.groups
        self.schema = {
            "name": Property(update=True),
            "description": Property(update=True),
            "rules": Property(update=True, default=[], read=_rules),
            "stateful": Property(update=True),
        }

    def validate(self, name: str, values: Values) -> None:
        if values["name"] == "default":
            raise invalid('Security groups cannot be assigned the name "default".')

    def create(self, stack: StackThing, row: StackResource, values: Values) -> Steps:
        name = values["name"] or self._natives.physical_name(stack, row.name)
        text = values["description"] or ""

        def effect(doing: Doing) -> GroupThing:
            return self._natives.network.create_group(doing, stack.project, name, text)

        group = yield from self._natives.call(
            Service.NETWORK,
            "create_security_group",
            effect,
            subject=subject_of(name),
            role=role_of(text),
        )
        row.physical = group.id
        yield from self._add(group.id, values["rules"])

    def update(
        self, stack: StackThing, row: StackResource, values: Values, changed: frozenset[str]
    ) -> Steps:
        if changed & {"name", "description"}:
            yield from self._natives.call(
                Service.NETWORK,
                "update_security_group",
                lambda doing: self._rename(row.physical, values),
                self._groups.get(row.physical),
            )
        if "rules" in changed:
            wanted = {_key(rule): rule for rule in values["rules"]}
            there = self._natives.network.group(row.physical).rules.values()
            stale = [rule for rule in there if (rule.ports, rule.cidr) not in wanted]
            for rule in there:
                wanted.pop((rule.ports, rule.cidr), None)
            yield from self._remove(row.physical, stale)
            yield self._natives.core.draw(self._natives.core.times.rule_gap)
            yield from self._add(row.physical, list(wanted.values()))

    def delete(self, row: StackResource) -> Steps:
        group = self._groups.get(row.physical)
        if group is None:
            return
        yield from self._remove(group.id, list(group.rules.values()))
        delete = self._natives.network.delete_group
        yield from self._natives.gone(
            Service.NETWORK, "delete_security_group", lambda doing: delete(doing, group.id), group
        )

    def check(self, row: StackResource) -> Steps | None:
        return None

    def is_broken(self, row: StackResource) -> bool:
        return row.physical not in self._groups

    def replaces(self, changed: frozenset[str], values: Values) -> bool:
        return False

    def before_replacement(self, row: StackResource) -> None:
        return

    def attribute(self, row: StackResource, name: str) -> Any:
        group = self._groups.get(row.physical)
        told = {"name": group.name, "description": group.description} if group else {}
        return told.get(name)

    # -- inner ----------------------------------------------------------------------------------

    def _rename(self, group_id: str, values: Values) -> None:
        group = self._natives.network.group(group_id)
        group.name = values["name"] or group.name
        group.description = values["description"] or ""
        group.subject, group.role = subject_of(group.name), role_of(group.description)
        self._natives.core.touch(group)

    def _add(self, group_id: str, rules: Sequence[Mapping[str, Any]]) -> Steps:
        """One bulk POST."""
        if not rules:
            return
        specs = [RuleSpec(group_id, *_key(rule), rule.get("description") or "") for rule in rules]
        create = self._natives.network.create_rules
        yield from self._natives.call(
            Service.NETWORK,
            "create_rules",
            lambda doing: create(doing, specs),
            self._groups.get(group_id),
        )

    def _remove(self, group_id: str, rules: Sequence[RuleThing]) -> Steps:
        delete = self._natives.network.delete_rule
        for rule in rules:
            yield from self._natives.gone(
                Service.NETWORK,
                "delete_rule",
                lambda doing, rule=rule: delete(doing, rule.id),  # type: ignore[misc]
                self._groups.get(group_id),
            )


def _key(rule: Mapping[str, Any]) -> tuple[PortRange, str]:
    ports = PortRange(rule["protocol"], rule["port_range_min"], rule["port_range_max"])
    return ports, rule["remote_ip_prefix"]


def _rules(name: str, value: Any) -> list[dict[str, Any]]:
    """Ingress rules of ports and a CIDR: the network service of this cloud holds no others."""
    found = []
    for each in value:
        rule = {"direction": "ingress", "protocol": "tcp", **each}
        for key in ("port_range_min", "port_range_max", "remote_ip_prefix"):
            if rule.get(key) is None:
                raise invalid(f"Property error: : resources.{name}.properties.rules: : no {key}")
        for key in ("port_range_min", "port_range_max"):
            rule[key] = int(rule[key])
        found.append(rule)
    return found
