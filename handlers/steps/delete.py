"""The one place that deletes, whatever the kind."""

from msgspec.structs import replace

from handlers.base import Answer, Cloud
from handlers.resources import Kind, Resource


def delete_duplicate(world: Cloud, resource: Resource) -> Answer:
    """Delete a resource that is there once too often; the answer's facts say so."""
    return replace(delete_resource(world, resource), facts={"duplicate": resource.kind})


def delete_resource(world: Cloud, resource: Resource) -> Answer:
    """Delete one resource."""
    match resource.kind:
        case Kind.SERVER:
            return world.delete_server(resource.id)
        case Kind.VOLUME:
            return world.delete_volume(resource.id)
        case Kind.PORT:
            return world.delete_port(resource.id)
        case Kind.SECURITY_GROUP:
            return world.delete_security_group(resource.id)
        case Kind.STACK:
            return world.delete_stack(resource.subject or "", resource.id)
