"""Bytes <-> Command, strictly: what is not exactly a command is refused with a reason.

The envelope is CloudEvents 1.0 in structured JSON. Attributes that CloudEvents does not name
(extensions, such as `traceparent`) are allowed when their values are plain; fields of `data` that
the command does not name are refused, because a misspelt option would silently mean its default.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from consumer.codec.cloudevents import (
    DATA_CONTENT_TYPE,
    SPEC_VERSION,
    TRACEPARENT,
    data_schema,
)
from consumer.codec.refusal import Refusal, Refused
from handlers.commands import BODIES, PREFIX, Body, Command, Invalid
from handlers.parts import Uuid
from handlers.secret import Secret
from handlers.validation import validate

#: Bytes of the longest command, checked before a single byte is parsed.
MAX_BYTES = 256 * 1024

CommandId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9._:-]+$(?!\n)",
        description="the publisher's own id; the same id on every copy of the same command",
    ),
]
Source = Annotated[
    str, Meta(min_length=1, max_length=255, pattern=r"^[!-~]+$(?!\n)", description="who sends it")
]

_REQUIRED = ("specversion", "id", "source", "type", "subject", "data")
_KNOWN = frozenset((*_REQUIRED, "time", "datacontenttype", "dataschema"))
_WANTED = {
    "id": "1 to 64 letters, digits and . _ : -",
    "subject": "a UUID in lower case, the instance's id",
    "source": "1 to 255 printable characters without spaces",
}
_EXTENSION = re.compile(r"[a-z0-9]{1,20}")
_JSON_TYPES = re.compile(r"application/json(\s*;\s*charset=utf-8)?", re.IGNORECASE)

_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(raw: bytes, max_bytes: int = MAX_BYTES) -> Command:
    """The command that these bytes are; raises Refused and nothing else."""
    if len(raw) > max_bytes:
        raise Refused(
            Refusal.OVERSIZE, f"the message has {len(raw)} bytes; at most {max_bytes} are taken"
        )
    try:
        envelope = _ENVELOPE.decode(raw)
        return _command(envelope)
    except RecursionError:
        raise Refused(Refusal.NOT_JSON, "the JSON is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Refused(Refusal.NOT_JSON, f"the message is not a JSON object: {error}") from None


def encode(command: Command) -> bytes:
    """The bytes of a command, the same ones every time; fields at their default are left out.

    Secrets are written in clear: these bytes are for the broker only.
    """
    return msgspec.json.encode(to_dict(command))


def to_dict(command: Command) -> dict[str, Any]:
    """The command as a JSON object, attributes in the order in which people read them."""
    extensions = {"traceparent": command.trace} if command.trace else {}
    return {
        "specversion": SPEC_VERSION,
        "type": command.type,
        "id": command.id,
        "source": command.source,
        "subject": command.subject,
        "datacontenttype": DATA_CONTENT_TYPE,
        "dataschema": data_schema(command.type),
        **extensions,
        "data": lean(command.body),
    }


def lean(value: Any) -> Any:
    """Builtins of a struct without the fields that have their default."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, msgspec.Struct):
        return {
            field.encode_name: lean(getattr(value, field.name))
            for field in msgspec.structs.fields(value)
            if field.required or getattr(value, field.name) != _default(field)
        }
    if isinstance(value, tuple):
        return [lean(item) for item in value]
    return value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory is not msgspec.NODEFAULT
    return field.default_factory() if made else field.default


def _command(envelope: Mapping[str, msgspec.Raw]) -> Command:
    _check_attributes(envelope)
    body_type = _body_type(_attribute(envelope, "type", str))
    return Command(
        id=_attribute(envelope, "id", CommandId),
        subject=_attribute(envelope, "subject", Uuid),
        source=_attribute(envelope, "source", Source),
        trace=_trace(envelope),
        body=_body(envelope["data"], body_type),
    )


def _check_attributes(envelope: Mapping[str, msgspec.Raw]) -> None:
    """Everything but the content: which attributes there are, and the versions."""
    missing = [name for name in _REQUIRED if name not in envelope]
    if missing:
        raise Refused(Refusal.NOT_CLOUDEVENT, f"attributes are missing: {', '.join(missing)}")
    for name in envelope:
        if name not in _KNOWN:
            _check_extension(envelope, name)
    version = _attribute(envelope, "specversion", str)
    if version != SPEC_VERSION:
        raise Refused(
            Refusal.WRONG_VERSION, f"specversion is {SPEC_VERSION!r}, not {_short(version)}"
        )
    if "time" in envelope:
        _attribute(envelope, "time", datetime)
    if "datacontenttype" in envelope:
        content = _attribute(envelope, "datacontenttype", str)
        if not _JSON_TYPES.fullmatch(content):
            raise Refused(
                Refusal.NOT_CLOUDEVENT,
                f"datacontenttype is {DATA_CONTENT_TYPE!r}, not {_short(content)}",
            )
    _check_schema(envelope)


def _check_schema(envelope: Mapping[str, msgspec.Raw]) -> None:
    if "dataschema" not in envelope:
        return
    kind, given = _attribute(envelope, "type", str), _attribute(envelope, "dataschema", str)
    if kind in BODIES and given != data_schema(kind):
        raise Refused(
            Refusal.WRONG_VERSION,
            f"dataschema of {kind} is {data_schema(kind)!r}, not {_short(given)}",
        )


def _check_extension(envelope: Mapping[str, msgspec.Raw], name: str) -> None:
    if not _EXTENSION.fullmatch(name):
        raise Refused(
            Refusal.NOT_CLOUDEVENT,
            f"attribute {_short(name)}: names are up to 20 lower-case letters or digits",
        )
    _attribute(envelope, name, str | int | float | bool | None)


def _attribute(envelope: Mapping[str, msgspec.Raw], name: str, kind: Any) -> Any:
    try:
        return msgspec.json.decode(envelope[name], type=kind)
    except msgspec.ValidationError as error:
        wanted = _WANTED.get(name, error)
        raise Refused(Refusal.NOT_CLOUDEVENT, f"attribute {name}: {wanted}") from None


def _trace(envelope: Mapping[str, msgspec.Raw]) -> str | None:
    """The traceparent; one that is not well-formed is ignored, as W3C trace context asks for."""
    if "traceparent" not in envelope:
        return None
    text = msgspec.json.decode(envelope["traceparent"])
    return text if isinstance(text, str) and TRACEPARENT.fullmatch(text) else None


def _body_type(name: str) -> type[Body]:
    try:
        return BODIES[name]
    except KeyError:
        known = ", ".join(sorted(kind.removeprefix(PREFIX) for kind in BODIES))
        raise Refused(
            Refusal.UNKNOWN_TYPE, f"type {_short(name)} is none of {PREFIX}{{{known}}}"
        ) from None


def _body(raw: msgspec.Raw, body_type: type[Body]) -> Body:
    try:
        body: Body = _READERS[body_type].decode(raw)
        validate(body)
    except (msgspec.ValidationError, Invalid) as error:
        raise Refused(Refusal.INVALID_DATA, f"data: {error}") from None
    return body


def _secret(kind: type, value: Any) -> Secret:
    """msgspec decoder hook; its messages must not hold the value."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"Expected `str`, got `{type(value).__name__}`")


#: Made while there is one thread: msgspec is not safe where two threads meet a type for the first
#: time (measured on 0.22).
_READERS = {kind: msgspec.json.Decoder(kind, dec_hook=_secret) for kind in BODIES.values()}


def _short(text: str) -> str:
    """What the publisher wrote, quoted and cut, for a sentence."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
