"""What a server's POST says, checked as Nova checks it."""

from base64 import b64decode, b64encode
from binascii import Error
from typing import Any

from handlers.clouds.memory.compute import ServerSpec
from handlers.resources import Service
from simulator.wire import bad

#: Properties of a server's POST, and the microversion from which each is allowed.
_PROPERTIES: dict[str, tuple[int, int]] = {
    **dict.fromkeys(
        (
            "name",
            "flavorRef",
            "imageRef",
            "networks",
            "metadata",
            "availability_zone",
            "key_name",
            "user_data",
            "config_drive",
            "block_device_mapping_v2",
            "security_groups",
            "adminPass",
            "min_count",
            "max_count",
            "return_reservation_id",
            "OS-DCF:diskConfig",
            "accessIPv4",
            "accessIPv6",
        ),
        (2, 1),
    ),
    "description": (2, 19),
    "tags": (2, 52),
    "trusted_image_certificates": (2, 63),
    "host": (2, 74),
    "hypervisor_hostname": (2, 74),
    "hostname": (2, 90),
}


def server_spec(body: dict[str, Any], version: tuple[int, int]) -> ServerSpec:
    """The spec of a POST's `server`; raises Refusal 400."""
    _check(body, version)
    volumes, kept, boots = _volumes(body.get("block_device_mapping_v2") or [])
    if not body.get("imageRef") and not boots:
        raise bad(Service.COMPUTE, "Invalid imageRef provided.")
    return ServerSpec(
        name=body["name"],
        flavor=str(body["flavorRef"]),
        image=body.get("imageRef") or "",
        ports=_ports(body.get("networks") or []),
        volumes=volumes,
        delete_with=frozenset(volumes) - kept,
        metadata=body.get("metadata") or {},
        tags=tuple(body.get("tags") or ()),
        zone=body.get("availability_zone"),
        key_name=body.get("key_name"),
        user_data=_decoded(body.get("user_data")),
        config_drive=bool(body.get("config_drive")),
    )


def encoded(user_data: str | None) -> str | None:
    """User data as Nova gives them back: base64, as they were given."""
    if user_data is None:
        return None
    return b64encode(user_data.encode(errors="surrogateescape")).decode()


def _decoded(user_data: str | None) -> str | None:
    """User data as the state holds them; bytes that are no text are kept as they are."""
    if user_data is None:
        return None
    try:
        return b64decode(user_data).decode(errors="surrogateescape")
    except Error:
        text = (
            f"Invalid input for field/attribute user_data. Value: {user_data}. '{user_data}' is "
            "not a 'base64'"
        )
        raise bad(Service.COMPUTE, text) from None


def _check(body: dict[str, Any], version: tuple[int, int]) -> None:
    for name in body:
        if name not in _PROPERTIES or version < _PROPERTIES[name]:
            text = (
                "Invalid input for field/attribute server. "
                f"Additional properties are not allowed ('{name}' was unexpected)"
            )
            raise bad(Service.COMPUTE, text)
    for name in ("name", "flavorRef"):
        if not body.get(name):
            text = f"Invalid input for field/attribute server. '{name}' is a required property"
            raise bad(Service.COMPUTE, text)
    if any(len(tag) > 60 or "," in tag or "/" in tag for tag in body.get("tags") or ()):
        raise bad(Service.COMPUTE, "Invalid input for field/attribute tags.")


def _ports(networks: Any) -> tuple[str, ...]:
    """The ports by id. Ports that Nova makes itself (`uuid`) are beyond this small OpenStack."""
    if isinstance(networks, list) and all(isinstance(one.get("port"), str) for one in networks):
        return tuple(one["port"] for one in networks)
    if networks == "none":
        return ()
    raise bad(Service.COMPUTE, "Invalid input for field/attribute networks: name ports by id.")


def _volumes(mappings: list[dict[str, Any]]) -> tuple[tuple[str, ...], frozenset[str], bool]:
    """Volumes, those that survive the server, and whether the server boots from one of them."""
    volumes = [one for one in mappings if one.get("source_type") == "volume"]
    kept = frozenset(one["uuid"] for one in volumes if not one.get("delete_on_termination"))
    boots = any(one.get("boot_index") in (0, "0") for one in volumes)
    return tuple(one["uuid"] for one in volumes), kept, boots
