"""What the types of the commands cannot say."""

from ipaddress import ip_address, ip_network

from handlers.commands import Body, Invalid
from handlers.parts import Access
from handlers.resources import PortRange
from handlers.secret import Secret

#: Bytes of user data: Nova takes 65535 characters of base64 text.
_MOST_USER_DATA = 65535 * 3 // 4


def validate(body: Body) -> None:
    """Check what types cannot say; raises Invalid."""
    access: Access | None = getattr(body, "access", None)
    for cidr in access.cidrs if access else getattr(body, "cidrs", ()):
        _validate_cidr(cidr)
    for ports in access.ports if access else getattr(body, "ports", ()):
        _validate_ports(ports)
    if access and bool(access.cidrs) != bool(access.ports):
        raise Invalid("access: give both ports and cidrs, or neither")
    for network in getattr(body, "networks", ()):
        _validate_address(network.ip_address)
    user_data: Secret | None = getattr(body, "user_data", None)
    if user_data and len(user_data.reveal().encode()) > _MOST_USER_DATA:
        raise Invalid(f"user_data: at most {_MOST_USER_DATA} bytes fit into Nova's 65535 of base64")


def _validate_cidr(cidr: str) -> None:
    try:
        ip_network(cidr)
    except ValueError as error:
        raise Invalid(f"cidrs: {error}: write a network such as 10.0.0.0/8") from None


def _validate_address(address: str | None) -> None:
    try:
        if address is not None:
            ip_address(address)
    except ValueError as error:
        raise Invalid(f"ip_address: {error}") from None


def _validate_ports(ports: PortRange) -> None:
    if ports.protocol not in ("tcp", "udp"):
        raise Invalid(f"ports: protocol is tcp or udp, not {ports.protocol!r}")
    if not 1 <= ports.first <= ports.last <= 65535:
        raise Invalid(f"ports: {ports.first}-{ports.last} is not a range within 1-65535")
