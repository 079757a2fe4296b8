"""A fleet that is there already: written into the state of a simulator, and as records."""

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import msgspec

from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.things import GroupThing, PortThing, ServerThing, VolumeThing
from handlers.identity import group_name, metadata, resource_name, server_tag
from handlers.instance import Instance, Ref, Scope
from handlers.keys import GROUP, SERVER, VOLUME
from handlers.natives import NAME as NATIVES
from handlers.resources import Kind
from simulator import clouds_yaml
from simulator.server import make_server

PORT = "port/user-0"

_KINDS = {
    SERVER: Kind.SERVER,
    VOLUME: Kind.VOLUME,
    PORT: Kind.PORT,
    GROUP: Kind.SECURITY_GROUP,
}


def records(size: int) -> Iterator[Instance]:
    """Of instances with one of each kind, in 100 projects; the same ones in every process."""
    for number in range(size):
        name = _name("instance", number)
        yield Instance(
            id=name,
            scope=Scope(cloud="trove", region="RegionOne", project=f"project-{number % 100}"),
            manager=NATIVES,
            resources={
                key: Ref(kind=kind, id=_name(key, number), role=key) for key, kind in _KINDS.items()
            },
            flavor=str(number % 3 + 1),
            volume_size=number % 50 + 1,
        )


def plant(state: CloudState, size: int) -> None:
    """What the records name; each hundredth server is busy, so that something is blocked."""
    core, place = state.core, state.catalogue.networks[0]
    for number, record in enumerate(records(size)):
        ids = {key: ref.id for key, ref in record.resources.items()}
        who: dict[str, Any] = {"subject": record.id, "project": state.project, "created": core.time}
        core.servers[ids[SERVER]] = ServerThing(
            **who,
            id=ids[SERVER],
            name=f"db-{number}",
            role=SERVER,
            status="ACTIVE",
            task=None if number % 100 else "rebooting",
            flavor=record.flavor,
            image=state.catalogue.images[0].id,
            ports=[ids[PORT]],
            volumes=[ids[VOLUME]],
            metadata=metadata(record.id, SERVER),
            tags=(server_tag(record.id),),
            launched=core.time,
            hosted=True,
        )
        core.volumes[ids[VOLUME]] = VolumeThing(
            **who,
            id=ids[VOLUME],
            name=resource_name(record.id),
            role=VOLUME,
            status="in-use",
            size=record.volume_size,
            metadata=metadata(record.id, VOLUME),
            servers=[ids[SERVER]],
        )
        core.groups[ids[GROUP]] = GroupThing(
            **who, id=ids[GROUP], name=group_name(record.id), role=GROUP
        )
        core.ports[ids[PORT]] = PortThing(
            **who,
            id=ids[PORT],
            name=resource_name(record.id),
            role=PORT,
            network=place.id,
            subnet=place.subnet,
            address=f"10.{16 + number // 65536}.{number // 256 % 256}.{number % 256}",
            mac=f"fa:16:3e:{number // 65536:02x}:{number // 256 % 256:02x}:{number % 256:02x}",
            status="ACTIVE",
            device=ids[SERVER],
            device_owner="compute:nova",
            groups=(ids[GROUP],),
        )


def serve(clouds_file: Path, size: int) -> None:
    """Serve a planted cloud until standard input ends; says `ready` when it listens."""
    state = CloudState()
    plant(state, size)
    server = make_server(state)
    clouds = clouds_yaml(f"http://127.0.0.1:{server.server_port}")
    clouds_file.write_bytes(msgspec.json.encode(clouds))
    Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    server.shutdown()


def _name(what: str, number: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"{what}/{number}"))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
