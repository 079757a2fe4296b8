"""NATIVES: plans of servers, volumes, ports and security groups, made by the services themselves.

Read it top-down: a command's recipe names its plan, its way back and the record it leaves. A plan
is a tuple of shared steps (handlers/steps). To add a command, add a recipe.
"""

from handlers.commands import (
    Body,
    CreateInstance,
    CreateSecurityGroup,
    DeleteInstance,
    DeleteSecurityGroup,
    ResizeInstance,
    ResizeVolume,
)
from handlers.keys import GROUP, SERVER, VOLUME, port_keys
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
from handlers.steps.audit import Audit
from handlers.steps.ports import ensure_port
from handlers.steps.remove import Remove, remove_everything, remove_groups
from handlers.steps.security_groups import ensure_security_group
from handlers.steps.servers import Confirm, Resize, Revert, ensure_server
from handlers.steps.volumes import Extend, ensure_volume

NAME = "natives"


# -- create and delete an instance ----------------------------------------------------------------


def _create(on: Setting, body: CreateInstance) -> Plan:
    """The volume builds while group, rules and ports are made; the server comes last."""
    ports = port_keys(body.networks)
    volume = (ensure_volume(on.subject, body.volume),) if body.volume else ()
    group = ensure_security_group(on.subject, body.name)
    rules = first_rules(body, needs=frozenset({group.key}))
    before = frozenset({group.key, *ports}) | keys_of(volume) | keys_of(rules)
    networks = zip(ports, body.networks, strict=True)
    steps: Plan = (
        *volume,
        group,
        *rules,
        *(ensure_port(on.subject, key, network) for key, network in networks),
        ensure_server(on.subject, body, ports, needs=before),
    )
    return (*steps, *_audits(on.subject, after=steps))


def _uncreate(on: Setting, body: CreateInstance) -> Plan:
    """Remove, in the order in which the cloud lets go, what the create may have made."""
    ports = port_keys(body.networks)
    after_server = frozenset({SERVER})
    volume = (Remove(VOLUME, Kind.VOLUME, on.subject, needs=after_server),) if body.volume else ()
    return (
        Remove(SERVER, Kind.SERVER, on.subject),
        *volume,
        *(Remove(key, Kind.PORT, on.subject, needs=after_server) for key in ports),
        Remove(GROUP, Kind.SECURITY_GROUP, on.subject, needs=frozenset(ports)),
    )


def _delete(on: Setting, body: DeleteInstance) -> Plan:
    """Everything that carries the subject's identity, whatever the ledger knew of it."""
    return remove_everything(on.subject, needs=on.needs)


def _audits(subject: str, after: Plan) -> Plan:
    """Look for doubles of every kind, servers first: they hold on to the rest."""
    server = Audit(Kind.SERVER, subject, needs=keys_of(after))
    rest = (Kind.VOLUME, Kind.PORT, Kind.SECURITY_GROUP)
    return (server, *(Audit(kind, subject, needs=frozenset({server.key})) for kind in rest))


# -- resize ---------------------------------------------------------------------------------------


def _resize(on: Setting, body: ResizeInstance) -> Plan:
    return (Resize(body.flavor, needs=on.needs), Confirm(body.flavor))


def _unresize(on: Setting, body: ResizeInstance) -> Plan:
    return (Revert(body.flavor),)


def _grow(on: Setting, body: ResizeVolume) -> Plan:
    return (Extend(body.size, key="extend", needs=on.needs),)


# -- a security group of its own ------------------------------------------------------------------


def _create_group(on: Setting, body: CreateSecurityGroup) -> Plan:
    group = ensure_security_group(on.subject, f"{body.name} {body.description}".strip())
    steps: Plan = (group, *first_rules(body, needs=frozenset({group.key})))
    return (*steps, Audit(Kind.SECURITY_GROUP, on.subject, needs=keys_of(steps)))


def _uncreate_group(on: Setting, body: CreateSecurityGroup) -> Plan:
    return (Remove(GROUP, Kind.SECURITY_GROUP, on.subject),)


def _delete_group(on: Setting, body: DeleteSecurityGroup) -> Plan:
    """The group only: the subject may turn out to be an instance that the ledger does not know."""
    return (remove_groups(on.subject),)


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


class Natives(Recipes):
    """The manager that works on Nova, Cinder and Neutron without a Heat in between."""

    def __init__(self) -> None:
        super().__init__(NAME, RECIPES)
