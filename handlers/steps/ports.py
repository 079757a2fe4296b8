"""Ports."""

from handlers.base import Answer, Cloud, Next
from handlers.keys import GROUP
from handlers.operation import Facts, Operation
from handlers.orders import NewPort
from handlers.parts import Network
from handlers.resources import Kind, Port, Resource
from handlers.steps.ensure import Ensure


def ensure_port(subject: str, key: str, network: Network) -> Ensure:
    """One port; a user port carries the instance's own security group besides the named ones."""

    def make(op: Operation, world: Cloud) -> Answer:
        own = (op.known_id(GROUP) or "",) if network.role == "user" else ()
        return world.create_port(
            NewPort(
                subject=subject,
                role=key,
                network=network.network,
                subnet=network.subnet,
                ip_address=network.ip_address,
                groups=(*own, *network.security_groups),
            )
        )

    return Ensure(
        key=key,
        kind=Kind.PORT,
        subject=subject,
        make=make,
        ready=lambda port: Next.DONE,  # a port is DOWN until its server binds it
        facts=_facts,
        needs=frozenset({GROUP}) if network.role == "user" else frozenset(),
    )


def _facts(port: Resource) -> Facts:
    return {"addresses": list(port.addresses)} if isinstance(port, Port) else {}
