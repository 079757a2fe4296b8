"""The AsyncAPI 3 document: channels, operations and messages; schemas are the files beside it."""

from collections.abc import Collection
from typing import Any

from consumer.broker.topology import Notices, Topology
from consumer.codec.cloudevents import CONTENT_TYPE, DATA_VERSION
from consumer.codec.documents.schemas import MIGRATION_TELLS, short, summary
from handlers.commands import BODIES
from handlers.events import ALARMING, MIGRATION_TYPE, EventKind, MigrationKind

Document = dict[str, Any]


def document() -> Document:
    """AsyncAPI 3.0, seen from the worker: it receives commands and sends events."""
    topology, notices = Topology(), Notices()
    commands = {_key(name): {"$ref": f"#/components/messages/{_key(name)}"} for name in BODIES}
    events = {
        kind: {
            _key(name): {"$ref": f"#/components/messages/{_key(name)}"} for name in _events(kind)
        }
        for kind in EventKind
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Trove Resources",
            "version": f"{DATA_VERSION}.0.0",
            "description": "Commands in, cloud resources and events out. Names of exchanges and"
            " queues are the defaults of the configuration.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "commands": _command_channel(topology, commands),
            "info": _event_channel(
                notices,
                0,
                {
                    **events[EventKind.START],
                    **events[EventKind.END],
                    **_told(frozenset(MigrationKind) - ALARMING),
                },
            ),
            "error": _event_channel(notices, 1, {**events[EventKind.ERROR], **_told(ALARMING)}),
        },
        "operations": {
            "receiveCommand": {"action": "receive", "channel": {"$ref": "#/channels/commands"}},
            "sendEvent": {"action": "send", "channel": {"$ref": "#/channels/info"}},
            "sendError": {"action": "send", "channel": {"$ref": "#/channels/error"}},
        },
        "components": {"messages": _messages()},
    }


def _events(kind: EventKind) -> list[str]:
    return [f"{name}.{kind}" for name in BODIES]


def _told(kinds: Collection[MigrationKind]) -> Document:
    """The events of migrations of these kinds, in the order in which they are declared."""
    keys = [_key(f"{MIGRATION_TYPE}.{kind}") for kind in MigrationKind if kind in kinds]
    return {key: {"$ref": f"#/components/messages/{key}"} for key in keys}


def _key(message_type: str) -> str:
    """AsyncAPI keys of messages have no dots: instance_create_end."""
    return short(message_type).replace(".", "_")


def _command_channel(topology: Topology, messages: Document) -> Document:
    return {
        "address": topology.queue,
        "description": "CloudEvents 1.0 in structured JSON, persistent, published with confirms"
        f" and the mandatory flag to exchange {topology.exchange}. What is refused goes to"
        f" {topology.dead_queue} with its reason in headers.",
        "messages": messages,
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": topology.exchange,
                    "type": "direct",
                    "durable": True,
                    "autoDelete": False,
                },
            }
        },
    }


def _event_channel(notices: Notices, place: int, messages: Document) -> Document:
    return {
        "address": notices.keys[place],
        "description": "oslo.messaging notifications (messagingv2); the message's payload is the"
        " CloudEvent. At least once: every copy of an event has the same id.",
        "messages": messages,
        "bindings": {
            "amqp": {"is": "routingKey", "exchange": {"name": notices.exchange, "type": "topic"}}
        },
    }


def _messages() -> Document:
    messages: Document = {}
    for name, body in BODIES.items():
        messages[_key(name)] = _message(name, "commands", summary(body))
        for told in EventKind:
            messages[_key(f"{name}.{told}")] = _message(
                f"{name}.{told}", "events", f"The {told} of {short(name)}."
            )
    for kind in MigrationKind:
        name = f"{MIGRATION_TYPE}.{kind}"
        messages[_key(name)] = _message(name, "events", MIGRATION_TELLS[kind])
    return messages


def _message(message_type: str, folder: str, text: str) -> Document:
    return {
        "name": message_type,
        "summary": text,
        "contentType": CONTENT_TYPE if folder == "commands" else "application/json",
        "payload": {"$ref": f"./schemas/{folder}/{short(message_type)}.json"},
    }
