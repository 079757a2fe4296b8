"""Events <-> the JSON objects that travel as the payloads of notifications."""

from datetime import datetime
from typing import Any

import msgspec

from consumer.codec.cloudevents import (
    DATA_CONTENT_TYPE,
    SPEC_VERSION,
    data_schema,
    micros,
    rfc3339,
)
from handlers.events import (
    MIGRATION_TYPE,
    Event,
    EventData,
    MigrationData,
    MigrationEvent,
    News,
)


class _Envelope(msgspec.Struct, kw_only=True):
    """What is read of an event's attributes; others are ignored, as readers of events should."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    data: dict[str, Any]
    traceparent: str | None = None


def to_payload(event: News) -> dict[str, Any]:
    """CloudEvents 1.0 attributes and `data`, in JSON's own types (lists, no tuples)."""
    trace = event.trace if isinstance(event, Event) else None
    extensions = {"traceparent": trace} if trace else {}
    return {
        "specversion": SPEC_VERSION,
        "type": event.type,
        "id": event.id,
        "source": event.source,
        "subject": event.subject,
        "time": rfc3339(event.time),
        "datacontenttype": DATA_CONTENT_TYPE,
        "dataschema": data_schema(event.type),
        **extensions,
        "data": msgspec.json.decode(msgspec.json.encode(event.data)),
    }


def from_payload(payload: Any) -> News:
    """The event of a notification's payload; raises ValueError for anything else."""
    envelope = msgspec.convert(payload, _Envelope, strict=True)
    if envelope.time.tzinfo is None:
        raise ValueError("time has no time zone")
    if envelope.type.startswith(f"{MIGRATION_TYPE}."):
        return MigrationEvent(
            id=envelope.id,
            type=envelope.type,
            source=envelope.source,
            subject=envelope.subject,
            time=micros(envelope.time),
            data=msgspec.convert(envelope.data, MigrationData, strict=True),
        )
    return Event(
        id=envelope.id,
        type=envelope.type,
        source=envelope.source,
        subject=envelope.subject,
        time=micros(envelope.time),
        data=msgspec.convert(envelope.data, EventData, strict=True),
        trace=envelope.traceparent,
    )
