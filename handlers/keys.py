"""The keys of the steps that make resources: also the roles that the resources carry, and the names
under which a record lists them."""

from collections.abc import Iterable

from handlers import identity
from handlers.parts import Network

SERVER = "server"
VOLUME = "volume/data"
GROUP = "security-group"
#: Keys of ports that were there before us begin so; their numbers follow, as they came.
NAMED_PORT = "port/named-"
STACK = identity.STACK
#: The stack of a security group without an instance.
GROUP_STACK = "group-stack"


def port_keys(networks: Iterable[Network]) -> tuple[str, ...]:
    """One key per port: its role, and its place among the ports of that role."""
    seen: dict[str, int] = {}
    keys = []
    for network in networks:
        index = seen.get(network.role, 0)
        seen[network.role] = index + 1
        keys.append(f"port/{network.role}-{index}")
    return tuple(keys)
