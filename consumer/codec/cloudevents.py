"""The attributes of CloudEvents 1.0 that commands and events share.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

import re
from datetime import UTC, datetime, timedelta

from handlers.operation import Micros

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/cloudevents+json"
DATA_CONTENT_TYPE = "application/json"

#: Version of the data of all commands and events; a change that breaks readers raises it.
DATA_VERSION = 1

#: W3C trace context: the distributed tracing extension of CloudEvents.
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def data_schema(message_type: str) -> str:
    """The `dataschema` of a command or event type."""
    return f"urn:{message_type.replace('.', ':')}:{DATA_VERSION}"


def rfc3339(at: Micros) -> str:
    """A moment as `2026-01-02T03:04:05.000006Z`."""
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def micros(moment: datetime) -> Micros:
    """Microseconds since 1970 of a moment that knows its time zone."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
