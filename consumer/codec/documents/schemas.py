"""JSON Schemas (draft 2020-12) of every command and event, made from the structs."""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from consumer.codec.cloudevents import (
    DATA_CONTENT_TYPE,
    SPEC_VERSION,
    TRACEPARENT,
    data_schema,
)
from consumer.codec.commands import CommandId, Source
from handlers.commands import BODIES, PREFIX, Body
from handlers.events import (
    MIGRATION_TYPE,
    EventData,
    EventKind,
    MigrationData,
    MigrationKind,
)
from handlers.parts import Uuid

DRAFT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def short(message_type: str) -> str:
    """`instance.create` of `trove.resources.instance.create`: what files are named after."""
    return message_type.removeprefix(PREFIX)


def command_schema(body: type[Body]) -> Schema:
    """The whole message of a command: envelope and data."""
    data, parts = _components(body)
    return {
        "$schema": DRAFT,
        "$id": data_schema(body.TYPE),
        "title": short(body.TYPE),
        "description": summary(body),
        **_envelope({"const": body.TYPE}, data, body.TYPE),
        "$defs": parts,
    }


def event_schema(command_type: str, kind: EventKind) -> Schema:
    """The payload of one event's notification."""
    name = f"{command_type}.{kind}"
    data, parts = _components(EventData)
    parts["EventData"]["required"] = sorted(parts["EventData"]["properties"])
    error = {"$ref": "#/$defs/Trouble"} if kind is EventKind.ERROR else {"type": "null"}
    return {
        "$schema": DRAFT,
        "$id": data_schema(name),
        "title": short(name),
        "description": _TELLS[kind],
        **_envelope({"const": name}, {"allOf": [data, {"properties": {"error": error}}]}, name),
        "$defs": parts,
    }


_TELLS = {
    EventKind.START: "The operation has opened: from now on something may change in the cloud.",
    EventKind.END: "The command was carried out. Terminal.",
    EventKind.ERROR: "The command failed; `left_behind` names what is left of it. Terminal.",
}


def migration_event_schema(kind: MigrationKind) -> Schema:
    """The payload of the notification of a migration's event."""
    name = f"{MIGRATION_TYPE}.{kind}"
    data, parts = _components(MigrationData)
    parts["MigrationData"]["required"] = sorted(parts["MigrationData"]["properties"])
    envelope = _envelope({"const": name}, data, name)
    subject = {"type": "string", "description": "the migration"}
    del envelope["properties"]["traceparent"]
    envelope["properties"]["subject"] = subject
    return {
        "$schema": DRAFT,
        "$id": data_schema(name),
        "title": short(name),
        "description": MIGRATION_TELLS[kind],
        **envelope,
        "$defs": parts,
    }


MIGRATION_TELLS = {
    MigrationKind.STARTED: "The migration has begun.",
    MigrationKind.BATCH_START: "A batch begins; batch 0 is the canary.",
    MigrationKind.BATCH_END: "All instances of a batch are through.",
    MigrationKind.CANARY_PASSED: "The canary was moved, has soaked and shows nothing wrong.",
    MigrationKind.CANARY_FAILED: "The canary went wrong: nothing else is moved.",
    MigrationKind.HELD: "It waits for an approval: `migrate resume`.",
    MigrationKind.PAUSED: "It was paused, or paused itself: nothing new is moved.",
    MigrationKind.RESUMED: "It goes on.",
    MigrationKind.TUNED: "Somebody changed its settings.",
    MigrationKind.ABORTED: "Somebody ended it: what has not begun stays where it is.",
    MigrationKind.INSTANCE_FAILED: "An instance could not be moved and is where it was.",
    MigrationKind.INSTANCE_ROLLED_BACK: "An instance is back where it was.",
    MigrationKind.ROLLBACK_START: "What was moved goes back.",
    MigrationKind.DONE: "The migration is over. Only a rollback may follow.",
}


def all_schemas() -> dict[str, Schema]:
    """File name (without suffix) below docs/schemas/ -> schema."""
    commands = {f"commands/{short(name)}": command_schema(body) for name, body in BODIES.items()}
    events = {
        f"events/{short(name)}.{kind}": event_schema(name, kind)
        for name in BODIES
        for kind in EventKind
    }
    told = {
        f"events/{short(MIGRATION_TYPE)}.{kind}": migration_event_schema(kind)
        for kind in MigrationKind
    }
    return commands | events | told


def summary(struct: type) -> str:
    """A struct's docstring as one paragraph."""
    return " ".join((inspect.getdoc(struct) or "").split())


def _components(struct: type) -> tuple[Schema, dict[str, Schema]]:
    """A reference to the struct, and the definitions that it needs."""
    (reference,), parts = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    for part in parts.values():
        if "description" in part:
            part["description"] = " ".join(part["description"].split())
    return reference, parts


def _envelope(kind: Schema, data: Schema, name: str) -> Schema:
    is_event = name not in BODIES
    properties: Mapping[str, Schema] = {
        "specversion": {"const": SPEC_VERSION},
        "type": kind,
        "id": {"type": "string", "format": "uuid"} if is_event else _plain(CommandId),
        "source": _plain(Source),
        "subject": {**_plain(Uuid), "description": "the instance, or a security group of its own"},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": DATA_CONTENT_TYPE},
        "dataschema": {"const": data_schema(name)},
        "traceparent": {
            "type": "string",
            "pattern": f"^{TRACEPARENT.pattern}$",
            "description": "W3C trace context, handed on from the command to its events",
        },
        "data": data,
    }
    required = ["specversion", "type", "id", "source", "subject", "data"]
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [*required, "time"] if is_event else required,
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    }


def _plain(kind: Any) -> Schema:
    return msgspec.json.schema(kind)
