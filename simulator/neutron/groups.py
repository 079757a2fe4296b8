"""Neutron v2.0: security groups and their rules."""

from ipaddress import ip_network
from typing import Any

import msgspec

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.network import RuleSpec
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.things import GroupThing
from handlers.identity import role_of, subject_of
from handlers.resources import PortRange, Service
from simulator.door import Door
from simulator.neutron import views
from simulator.neutron.filters import COMMON, fields, filtered
from simulator.paging import page
from simulator.wire import Incoming, Reply, Route, bad


class Groups:
    """Security groups, and rules in bulk or one by one."""

    def __init__(self, state: CloudState, at: str) -> None:
        self._core = state.core
        self._network = state.network
        self._door = Door(state, Service.NETWORK)
        self._at, self._rules = f"{at}/security-groups", f"{at}/security-group-rules"

    def routes(self) -> list[Route]:
        return [
            Route("GET", self._at, self._list, Service.NETWORK),
            Route("POST", self._at, self._create, Service.NETWORK),
            Route("GET", f"{self._at}/<id>", self._show, Service.NETWORK),
            Route("DELETE", f"{self._at}/<id>", self._delete, Service.NETWORK),
            Route("POST", self._rules, self._create_rules, Service.NETWORK),
            Route("DELETE", f"{self._rules}/<id>", self._delete_rule, Service.NETWORK),
        ]

    # -- groups ---------------------------------------------------------------------------------

    def _list(self, request: Incoming) -> Reply:
        by_id = "id" in request.query

        def body() -> dict[str, Any]:
            seen = [
                one
                for one in self._core.groups.values()
                if self._door.known(one, request) and (by_id or one.visible <= self._core.time)
            ]
            found = filtered(seen, request.query, COMMON)
            part, marker = page(found, request.query, Service.NETWORK, _no_group)
            shown: dict[str, Any] = {
                "security_groups": fields([views.group(one) for one in part], request.query)
            }
            if marker:
                href = f"{request.root}{self._at}?limit={len(part)}&marker={marker}"
                shown["security_groups_links"] = [{"rel": "next", "href": href}]
            return shown

        return self._door.look("get_security_group" if by_id else "find_security_group", body)

    def _create(self, request: Incoming) -> Reply:
        given = request.json(Service.NETWORK, "security_group")
        name, text = given.get("name") or "", given.get("description") or ""

        def effect(doing: Doing) -> Reply:
            group = self._network.create_group(doing, request.project, name, text)
            return Reply(status=201, body={"security_group": views.group(group)})

        return self._door.call(
            "create_security_group", effect, subject=subject_of(name), role=role_of(text)
        )

    def _show(self, request: Incoming) -> Reply:
        return self._door.look(
            "get_security_group", lambda: {"security_group": views.group(self._group(request))}
        )

    def _delete(self, request: Incoming) -> Reply:
        def effect(doing: Doing) -> Reply:
            self._network.delete_group(doing, self._group(request).id)
            return Reply(status=204)

        thing = self._core.groups.get(request.args["id"])
        return self._door.call("delete_security_group", effect, thing=thing)

    def _group(self, request: Incoming) -> GroupThing:
        group = self._network.group(request.args["id"])
        if not self._door.known(group, request):
            raise _no_group(group.id)
        return group

    # -- rules ----------------------------------------------------------------------------------

    def _create_rules(self, request: Incoming) -> Reply:
        """`security_group_rules` in bulk, all or none; `security_group_rule` for one."""
        given, bulk = _rules_of(request.body)
        specs = [_rule(one) for one in given]

        def effect(doing: Doing) -> Reply:
            made = self._network.create_rules(doing, specs)
            shown = [
                views.rule(self._core.groups[spec.group], thing)
                for spec, thing in zip(specs, made, strict=True)
            ]
            body = {"security_group_rules": shown} if bulk else {"security_group_rule": shown[0]}
            return Reply(status=201, body=body)

        thing = self._core.groups.get(specs[0].group)
        return self._door.call("create_rules", effect, thing=thing)

    def _delete_rule(self, request: Incoming) -> Reply:
        def effect(doing: Doing) -> Reply:
            self._network.delete_rule(doing, request.args["id"])
            return Reply(status=204)

        return self._door.call("delete_rule", effect)


def _no_group(group: str) -> Refusal:
    text = f"Security group {group} does not exist"
    return Refusal(Service.NETWORK, 404, text, "SecurityGroupNotFound")


def _rules_of(body: bytes) -> tuple[list[dict[str, Any]], bool]:
    try:
        given = msgspec.json.decode(body, type=dict[str, Any])
        if "security_group_rule" in given:
            return [given["security_group_rule"]], False
        if rules := given["security_group_rules"]:
            return rules, True
    except (msgspec.DecodeError, KeyError):
        pass
    raise bad(Service.NETWORK, "Unable to find 'security_group_rules' in request body")


def _rule(given: dict[str, Any]) -> RuleSpec:
    """An ingress rule with a CIDR, a protocol and ports: the only kind in this OpenStack."""
    try:
        spec = RuleSpec(
            given["security_group_id"],
            PortRange(given["protocol"], given["port_range_min"], given["port_range_max"]),
            given["remote_ip_prefix"],
            given.get("description") or "",
        )
    except KeyError as error:
        text = f"Failed to parse request. Required attribute {error} not specified"
        raise bad(Service.NETWORK, text) from None
    try:
        family = f"IPv{ip_network(spec.cidr, strict=False).version}"
    except ValueError:
        return spec  # the state refuses it
    if family != given.get("ethertype", "IPv4"):
        text = f"Conflicting value ethertype {given.get('ethertype')} for CIDR {spec.cidr}"
        raise Refusal(Service.NETWORK, 400, text, "SecurityGroupRuleParameterConflict")
    return spec
