"""Neutron's JSON for ports, security groups, rules, networks and subnets."""

import uuid
from ipaddress import ip_network
from typing import Any

from handlers.clouds.memory.settings import Network
from handlers.clouds.memory.things import GroupThing, Micros, PortThing, RuleThing
from simulator.wire import stamp

_DATE = "2025-01-01T00:00:00Z"
_OWNER = "99750a89225047649eb4d56a4e9a1f7d"


def port(thing: PortThing) -> dict[str, Any]:
    bound = bool(thing.device)
    return {
        "id": thing.id,
        "name": thing.name,
        "network_id": thing.network,
        "project_id": thing.project,
        "tenant_id": thing.project,
        "mac_address": thing.mac,
        "admin_state_up": True,
        "status": thing.status,
        "device_id": thing.device,
        "device_owner": thing.device_owner,
        "fixed_ips": [{"subnet_id": thing.subnet, "ip_address": thing.address}],
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "security_groups": list(thing.groups),
        "description": thing.description,
        "binding:vnic_type": "normal",
        "binding:profile": {},
        "binding:host_id": "compute1" if bound else "",
        "binding:vif_type": "ovs" if bound else "unbound",
        "binding:vif_details": {},
        "port_security_enabled": True,
        "tags": [],
        **_dates(thing.created, thing.updated),
        "revision_number": 1,
    }


def group(thing: GroupThing) -> dict[str, Any]:
    return {
        "id": thing.id,
        "name": thing.name,
        "stateful": True,
        "tenant_id": thing.project,
        "project_id": thing.project,
        "description": thing.description,
        "shared": False,
        "security_group_rules": [
            *(_egress(thing, ethertype) for ethertype in ("IPv4", "IPv6")),
            *(rule(thing, one) for one in thing.rules.values()),
        ],
        "tags": [],
        **_dates(thing.created, thing.updated),
        "revision_number": 1,
    }


def rule(of: GroupThing, thing: RuleThing) -> dict[str, Any]:
    """An ingress rule; `normalized_cidr` has no host bits."""
    network = ip_network(thing.cidr, strict=False)
    return {
        **_rule(of, thing.id, "ingress", f"IPv{network.version}", thing.created),
        "protocol": thing.ports.protocol,
        "port_range_min": thing.ports.first,
        "port_range_max": thing.ports.last,
        "remote_ip_prefix": thing.cidr,
        "normalized_cidr": str(network),
        "description": thing.description,
    }


def network(info: Network) -> dict[str, Any]:
    return {
        "id": info.id,
        "name": info.name,
        "tenant_id": _OWNER,
        "project_id": _OWNER,
        "admin_state_up": True,
        "mtu": 1500,
        "status": "ACTIVE",
        "subnets": [info.subnet],
        "shared": True,
        "router:external": False,
        "port_security_enabled": True,
        "description": "",
        "tags": [],
        "created_at": _DATE,
        "updated_at": _DATE,
        "revision_number": 2,
    }


def subnet(info: Network) -> dict[str, Any]:
    block = ip_network(info.cidr)
    return {
        "id": info.subnet,
        "name": info.name,
        "tenant_id": _OWNER,
        "project_id": _OWNER,
        "network_id": info.id,
        "ip_version": block.version,
        "enable_dhcp": False,
        "gateway_ip": None,
        "cidr": info.cidr,
        "allocation_pools": [{"start": str(block[1]), "end": str(block[-2])}],
        "host_routes": [],
        "dns_nameservers": [],
        "description": "",
        "tags": [],
        "created_at": _DATE,
        "updated_at": _DATE,
        "revision_number": 0,
    }


def _egress(of: GroupThing, ethertype: str) -> dict[str, Any]:
    """Neutron gives every new group one for each address family."""
    own = str(uuid.uuid5(uuid.NAMESPACE_DNS, of.id + ethertype))
    return _rule(of, own, "egress", ethertype, of.created)


def _rule(
    of: GroupThing, rule_id: str, direction: str, ethertype: str, created: Micros
) -> dict[str, Any]:
    return {
        "id": rule_id,
        "project_id": of.project,
        "tenant_id": of.project,
        "security_group_id": of.id,
        "ethertype": ethertype,
        "direction": direction,
        "protocol": None,
        "port_range_min": None,
        "port_range_max": None,
        "remote_ip_prefix": None,
        "remote_address_group_id": None,
        "normalized_cidr": None,
        "remote_group_id": None,
        "belongs_to_default_sg": of.name == "default",
        "description": None,
        **_dates(created, created),
        "revision_number": 0,
    }


def _dates(created: Micros, updated: Micros | None) -> dict[str, str | None]:
    return {"created_at": stamp(created), "updated_at": stamp(updated or created)}
