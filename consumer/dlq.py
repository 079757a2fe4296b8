"""What the dead-letter queue holds, for people: why each message is there and what to do about it.

Looking changes nothing but the order: RabbitMQ puts looked-at messages of a quorum queue with a
delivery limit at its end, so letters are sorted here by the time at which they were refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import msgspec.inspect as mi

from consumer.broker.deadletters import AT, DETAIL, LETTER, REASON
from consumer.broker.inbox import Delivery
from consumer.codec.refusal import REMEDY, Refusal
from handlers.commands import BODIES

HIDDEN = "***"

#: Reads up to so many messages of the dead-letter queue without taking them.
Peek = Callable[[int], tuple[Delivery, ...]]

#: CloudEvents attributes that may be shown; extensions may hold anything.
_ATTRIBUTES = frozenset(
    {"specversion", "type", "id", "source", "subject", "time", "datacontenttype", "dataschema"}
    | {"traceparent", "data"}
)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One refused message. `body` is masked; `deliveries` counts how often it was handed out."""

    letter: str
    at: str
    reason: str
    detail: str
    remedy: str
    command: str = ""
    type: str = ""
    subject: str = ""
    size: int = 0
    deliveries: int = 0
    body: Any = None


def letters(peek: Peek, limit: int = 100) -> tuple[Letter, ...]:
    """Up to `limit` letters, the oldest first; raises what `peek` raises (Down)."""
    return tuple(sorted((read(each) for each in peek(limit)), key=lambda each: each.at))


def letter(peek: Peek, wanted: str, limit: int = 10_000) -> Letter:
    """The letter with this id, or the oldest one of this command id; raises LookupError."""
    for each in letters(peek, limit):
        if wanted in (each.letter, each.command):
            return each
    raise LookupError(f"the dead-letter queue has no letter or command {wanted!r}")


def read(delivery: Delivery) -> Letter:
    """A message of the dead-letter queue as a letter, secrets masked."""
    headers = delivery.headers
    reason, detail = _why(headers)
    content = _json(delivery.body)
    attributes = content if isinstance(content, dict) else {}
    return Letter(
        letter=str(headers.get(LETTER, "")),
        at=str(headers.get(AT, "")),
        reason=reason,
        detail=detail,
        remedy=REMEDY[Refusal(reason)] if reason in set(Refusal) else "",
        command=_text(attributes, "id"),
        type=_text(attributes, "type"),
        subject=_text(attributes, "subject"),
        size=len(delivery.body),
        deliveries=int(headers.get("x-delivery-count", 0)),
        body=_masked_body(attributes) if attributes else f"{HIDDEN} (no JSON object)",
    )


def _why(headers: Mapping[str, Any]) -> tuple[str, str]:
    """Our reason, or the broker's: it dead-letters what came back too often."""
    if REASON in headers:
        return str(headers[REASON]), str(headers.get(DETAIL, ""))
    deaths = headers.get("x-death") or [{}]
    reason = str(deaths[0].get("reason", "unknown"))
    return reason, f"dead-lettered by the broker from queue {deaths[0].get('queue', '?')}"


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    return value[:255] if isinstance(value, str) else ""


def _masked_body(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What we know to be no secret, in clear; all else is named but hidden.

    A bad message may hold anything anywhere: a misspelt `user_data` is a secret all the same.
    """
    shown = {
        name: value if name in _ATTRIBUTES and not isinstance(value, dict | list) else HIDDEN
        for name, value in attributes.items()
    }
    body = BODIES.get(_text(attributes, "type"))
    if body is not None and isinstance(attributes.get("data"), dict):
        shown["data"] = _masked(attributes["data"], mi.type_info(body))
    elif "data" in attributes:
        shown["data"] = HIDDEN
    return shown


def _masked(value: Any, kind: mi.Type) -> Any:
    """The value where its type says that it is no secret."""
    match kind, value:
        case mi.Metadata(), _:
            return _masked(value, kind.type)
        case mi.UnionType(), _:
            fitting = (_masked(value, each) for each in kind.types)
            return next((each for each in fitting if each != HIDDEN), HIDDEN)
        case mi.StructType(), dict():
            fields = {field.encode_name: field.type for field in kind.fields}
            return {
                name: _masked(item, fields.get(name, mi.RawType())) for name, item in value.items()
            }
        case mi.DictType(), dict():
            return {name: _masked(item, kind.value_type) for name, item in value.items()}
        case mi.VarTupleType(), list():
            return [_masked(item, kind.item_type) for item in value]
    return value if _is_plain(value, kind) else HIDDEN


def _is_plain(value: Any, kind: mi.Type) -> bool:
    """Whether the value is the text, number or truth that its field asks for."""
    expected = {mi.StrType: str, mi.IntType: int, mi.BoolType: bool, mi.NoneType: type(None)}
    return isinstance(value, expected.get(type(kind), ()))
