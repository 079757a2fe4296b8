"""The one place that deletes, whatever the kind."""

from msgspec.structs import replace

from handlers.base import Answer, Cloud
from handlers.operation import Facts
from handlers.resources import Kind, Resource


def delete_resource(world: Cloud, resource: Resource, facts: Facts | None = None) -> Answer:
    """Delete one resource; the answer carries `facts`."""
    match resource.kind:
        case Kind.SERVER:
            answer = world.delete_server(resource.id)
        case Kind.VOLUME:
            answer = world.delete_volume(resource.id)
        case Kind.PORT:
            answer = world.delete_port(resource.id)
        case Kind.SECURITY_GROUP:
            answer = world.delete_security_group(resource.id)
    return replace(answer, facts=facts or {})
