"""docs/messages.md: every command, every event, every reason, for people."""

import json
from collections.abc import Iterator

from consumer.broker.topology import Topology
from consumer.codec.cloudevents import CONTENT_TYPE, SPEC_VERSION
from consumer.codec.commands import MAX_BYTES, to_dict
from consumer.codec.documents.markdown import fields, table
from consumer.codec.documents.migrations import told_of_migrations
from consumer.codec.documents.samples import COMMANDS
from consumer.codec.documents.schemas import Schema, command_schema, event_schema, short, summary
from consumer.codec.refusal import REMEDY as REFUSALS
from handlers.commands import BODIES, CreateInstance
from handlers.errors import REMEDY, WORTH_A_RETRY
from handlers.events import EventKind

_HEADING = """\
# Messages

This page is generated from the types in `handlers/` by `make docs`. The same types give the
[schemas](schemas/), the [samples](samples/) and the [AsyncAPI document](asyncapi.yaml).
How to publish: [publishers.md](publishers.md).
"""

_EVENTS = """\
## Events

Every command has three: `<type>.start` when its operation opens, then exactly one of `<type>.end`
and `<type>.error`. They are oslo.messaging notifications (`messagingv2`) with priority `info`,
errors with `error`; `event_type` is the event's type, and the payload is a CloudEvent with the
attributes above and `time`. They are published at least once: every copy of an event has the same
`id`, made from the command's id and the kind. A command that ends before it opens (it waited too
long, or was cancelled) has no `start`.

### Data of events
"""

_REFUSED = """\
## Refused messages

A message that is not a command, or contradicts an earlier one, is never carried out and never comes
back: it goes to the dead-letter queue with its body and properties as they were, and these headers:
`x-trove-resources-reason`, `-detail` (what to correct), `-letter` (its id there) and `-at`.
`trove-resources dlq list` shows them. A message that the broker itself put there (it came back too
often) has the broker's `x-death` header instead.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join(
        (
            _HEADING,
            *_envelope(),
            "## Commands\n",
            *(line for name in BODIES for line in _command(name)),
            *_parts(),
            _EVENTS,
            *_event_data(),
            *_reasons(),
            *told_of_migrations(),
            _REFUSED,
            *table(("reason", "what to do"), ((f"`{r}`", REFUSALS[r]) for r in REFUSALS)),
        )
    )


def _envelope() -> Iterator[str]:
    topology = Topology()
    yield "## The envelope of a command\n"
    yield (
        f"CloudEvents {SPEC_VERSION} in structured JSON (`{CONTENT_TYPE}`), UTF-8, at most"
        f" {MAX_BYTES // 1024} KiB, to exchange `{topology.exchange}` with routing key"
        f" `{topology.queue}` (both are settings). Other attributes are allowed when they are plain"
        " values; unknown fields of `data` are refused.\n"
    )
    schema = command_schema(CreateInstance)
    shown = {**schema, "properties": {**schema["properties"], "data": {}, "type": {}}}
    shown["properties"]["type"] = {"description": "one of the commands below"}
    shown["properties"]["data"] = {"type": "object", "description": "as the command says"}
    shown["properties"]["dataschema"] = {
        "type": "string",
        "description": "`urn:trove:resources:<noun>:<verb>:1`; another version is refused",
    }
    yield from fields(shown, "attribute")


def _command(name: str) -> Iterator[str]:
    schema = command_schema(BODIES[name])
    yield f"### {short(name)}\n"
    yield f"`{name}`: {summary(BODIES[name])}\n"
    yield from fields(schema["$defs"][BODIES[name].__name__], "field of `data`")
    sample = json.dumps(to_dict(COMMANDS[name])["data"], indent=2)
    yield f"```json\n{sample}\n```\n"


def _parts() -> Iterator[str]:
    """The structs that several commands use."""
    parts: dict[str, Schema] = {}
    for body in BODIES.values():
        parts |= command_schema(body)["$defs"]
    own = {body.__name__ for body in BODIES.values()}
    yield "## Parts of commands\n"
    for name in sorted(set(parts) - own):
        yield f"### {name}\n"
        yield parts[name]["description"] + "\n"
        yield from fields(parts[name], "field")


def _event_data() -> Iterator[str]:
    parts: dict[str, Schema] = event_schema(CreateInstance.TYPE, EventKind.ERROR)["$defs"]
    enums = {f"#/$defs/{name}": part for name, part in parts.items() if "enum" in part}
    for name in ("EventData", "Ref", "Trouble"):
        if name != "EventData":
            yield f"### {name}\n"
        yield parts[name]["description"] + "\n"
        shown = {
            key: {"enum": enums[field["$ref"]]["enum"]} if field.get("$ref") in enums else field
            for key, field in parts[name]["properties"].items()
        }
        yield from fields({**parts[name], "properties": shown}, "field")


def _reasons() -> Iterator[str]:
    yield "### Reasons of errors\n"
    yield "`retryable` says whether the same command under a new id may well succeed.\n"
    rows = ((f"`{r}`", "yes" if r in WORTH_A_RETRY else "", REMEDY[r]) for r in REMEDY)
    yield from table(("reason", "retryable", "what to do"), rows)
