"""The network service: ports, security groups and their rules. All of it happens at once."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import msgspec

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.settings import Network as NetworkInfo
from handlers.clouds.memory.things import GroupThing, PortThing, RuleThing, ServerThing
from handlers.identity import role_of, subject_of
from handlers.resources import PortRange, Service


class PortSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a port's POST says; `network` and `groups` are ids."""

    network: str
    name: str = ""
    description: str = ""
    subnet: str | None = None
    ip_address: str | None = None
    groups: tuple[str, ...] | None = None


class RuleSpec(msgspec.Struct, frozen=True):
    """One ingress rule in a bulk POST."""

    group: str
    ports: PortRange
    cidr: str
    description: str = ""


class Networking:
    """Neutron's behaviour. Call it with the state's lock held."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._addresses = 16

    # -- ports ----------------------------------------------------------------------------------

    def create_port(self, doing: Doing, project: str, spec: PortSpec) -> PortThing:
        core = self._core
        network = self._network(spec)
        for group in spec.groups or ():
            self.group(group)
        limit = core.quota(project).ports
        if 0 <= limit <= sum(port.project == project for port in core.ports.values()):
            raise _refused(409, "OverQuota", "Quota exceeded for resources: ['port'].")
        port = PortThing(
            id=core.new_id(),
            project=project,
            name=spec.name,
            subject=subject_of(spec.name),
            role=role_of(spec.description),
            network=network.id,
            subnet=network.subnet,
            address=self._address(network, spec.ip_address),
            mac="fa:16:3e:" + ":".join(f"{core.random.getrandbits(8):02x}" for _ in range(3)),
            description=spec.description,
            groups=self._default(project) if spec.groups is None else spec.groups,
        )
        core.ports[port.id] = port
        core.born(port, doing)
        return port

    def delete_port(self, doing: Doing, port_id: str) -> None:
        port = self.port(port_id)
        port.epoch += 1
        del self._core.ports[port.id]

    def port(self, port_id: str) -> PortThing:
        port = self._core.ports.get(port_id)
        if port is None:
            raise _refused(404, "PortNotFound", f"Port {port_id} could not be found.")
        return port

    def plug(self, port: PortThing, server: ServerThing) -> None:
        port.device, port.device_owner = server.id, f"compute:{server.zone}"
        self._core.touch(port, "ACTIVE")

    def unplug(self, port_id: str) -> None:
        """Clear the port's device, whoever's it is; a port of a client survives its server."""
        port = self._core.ports.get(port_id)
        if port is not None and port.device:
            port.device = port.device_owner = ""
            self._core.touch(port, "DOWN")

    def _network(self, spec: PortSpec) -> NetworkInfo:
        for network in self._core.catalogue.networks:
            if network.id != spec.network:
                continue
            if spec.subnet not in (None, network.subnet):
                raise _refused(404, "SubnetNotFound", f"Subnet {spec.subnet} could not be found.")
            return network
        raise _refused(404, "NetworkNotFound", f"Network {spec.network} could not be found.")

    def _address(self, network: NetworkInfo, wanted: str | None) -> str:
        subnet = ip_network(network.cidr)
        if wanted is None:
            self._addresses += 1
            return str(subnet[self._addresses])
        try:
            inside = ip_address(wanted) in subnet
        except ValueError:
            inside = False
        if not inside:
            text = (
                f"IP address {wanted} is not a valid IP for any of the subnets on the specified "
                "network."
            )
            raise _refused(400, "InvalidIpForNetwork", text)
        for port in self._core.ports.values():
            if port.address == wanted and port.network == network.id:
                text = f"IP address {wanted} already allocated in subnet {network.subnet}"
                raise _refused(409, "IpAddressAlreadyAllocated", text)
        return wanted

    # -- security groups ------------------------------------------------------------------------

    def create_group(
        self, doing: Doing, project: str, name: str, description: str = ""
    ) -> GroupThing:
        core = self._core
        limit = core.quota(project).security_groups
        if 0 <= limit <= sum(group.project == project for group in core.groups.values()):
            raise _refused(409, "OverQuota", "Quota exceeded for resources: ['security_group'].")
        group = GroupThing(
            id=core.new_id(),
            project=project,
            name=name,
            subject=subject_of(name),
            role=role_of(description),
            description=description,
        )
        core.groups[group.id] = group
        core.born(group, doing)
        return group

    def _default(self, project: str) -> tuple[str, ...]:
        """The group that every project has, and that a port gets when its POST names none."""
        core = self._core
        for group in core.groups.values():
            if group.project == project and group.name == "default":
                return (group.id,)
        group = GroupThing(
            id=core.new_id(),
            project=project,
            name="default",
            description="Default security group",
            created=core.time,
        )
        core.groups[group.id] = group
        return (group.id,)

    def delete_group(self, doing: Doing, group_id: str) -> None:
        group = self.group(group_id)
        if any(group_id in port.groups for port in self._core.ports.values()):
            raise _refused(409, "SecurityGroupInUse", f"Security Group {group_id} in use.")
        del self._core.groups[group.id]

    def group(self, group_id: str) -> GroupThing:
        group = self._core.groups.get(group_id)
        if group is None:
            text = f"Security group {group_id} does not exist"
            raise _refused(404, "SecurityGroupNotFound", text)
        return group

    # -- rules ----------------------------------------------------------------------------------

    def create_rules(self, doing: Doing, specs: Sequence[RuleSpec]) -> tuple[RuleThing, ...]:
        """All of them or none; the new rules in the order of the specs."""
        core = self._core
        seen: set[tuple[str, PortRange, str]] = set()
        for spec in specs:
            _check_cidr(spec.cidr)
            for rule in self.group(spec.group).rules.values():
                if (rule.ports, rule.cidr) == (spec.ports, spec.cidr):
                    text = f"Security group rule already exists. Rule id is {rule.id}."
                    raise _refused(409, "SecurityGroupRuleExists", text)
            if (key := (spec.group, spec.ports, spec.cidr)) in seen:
                text = "Duplicate Security Group Rule in POST."
                raise _refused(409, "DuplicateSecurityGroupRuleInPost", text)
            seen.add(key)
        self._rule_quota(specs)
        made = []
        for spec in specs:
            group = core.groups[spec.group]
            rule = RuleThing(
                id=core.new_id(),
                ports=spec.ports,
                cidr=spec.cidr,
                created=core.time,
                description=spec.description,
            )
            group.rules[rule.id] = rule
            core.touch(group)
            core.audit.rule_added(group, rule, core.time)
            made.append(rule)
        return tuple(made)

    def delete_rule(self, doing: Doing, rule_id: str) -> None:
        core = self._core
        for group in core.groups.values():
            rule = group.rules.pop(rule_id, None)
            if rule is not None:
                core.touch(group)
                core.audit.rule_removed(group, rule, core.time)
                return
        text = f"Security group rule {rule_id} does not exist"
        raise _refused(404, "SecurityGroupRuleNotFound", text)

    def _rule_quota(self, specs: Sequence[RuleSpec]) -> None:
        for project in {self.group(spec.group).project for spec in specs}:
            limit = self._core.quota(project).security_group_rules
            mine = [one for one in self._core.groups.values() if one.project == project]
            if 0 <= limit < sum(len(group.rules) for group in mine) + len(specs):
                text = "Quota exceeded for resources: ['security_group_rule']."
                raise _refused(409, "OverQuota", text)


def _check_cidr(cidr: str) -> None:
    try:
        ip_network(cidr, strict=False)
    except ValueError:
        text = f"Invalid CIDR {cidr} given as IP prefix."
        raise _refused(400, "InvalidCIDR", text) from None


def _refused(status: int, code: str, message: str) -> Refusal:
    return Refusal(Service.NETWORK, status, message, code)
