"""What is a command, what is not, and that nothing else can happen."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.codec.commands import MAX_BYTES, decode, encode
from consumer.codec.documents.samples import COMMANDS
from consumer.codec.refusal import Refusal, Refused
from handlers.commands import BODIES, Command, ResizeVolume
from handlers.secret import Secret

SUBJECT = "7f1c6d0e-3b0f-4a53-9a59-6f0f4f6f2d11"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "type": "trove.resources.volume.resize",
    "id": "c1",
    "source": "trove",
    "subject": SUBJECT,
    "data": {"project": "p1", "size": 3},
}


def message(**changes: Any) -> bytes:
    """A good message with changes; None removes an attribute."""
    merged = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    return json.dumps(merged).encode()


def refusal(raw: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        decode(raw)
    return caught.value


def test_minimal_message_is_a_command() -> None:
    command = decode(message())
    assert (command.id, command.subject, command.source) == ("c1", SUBJECT, "trove")
    assert command.body == ResizeVolume(project="p1", size=3)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_every_command_comes_back_as_it_was(name: str) -> None:
    assert decode(encode(COMMANDS[name])) == COMMANDS[name]


def test_same_command_has_the_same_bytes_and_no_defaults() -> None:
    command = decode(message())
    assert encode(command) == encode(command)
    assert json.loads(encode(command))["data"] == {"project": "p1", "size": 3}


@pytest.mark.parametrize(
    "extras",
    [
        {"traceparent": TRACE},
        {"time": "2026-01-02T03:04:05Z"},
        {"datacontenttype": "application/json; charset=UTF-8"},
        {"dataschema": "urn:trove:resources:volume:resize:1"},
        {"partitionkey": "x", "sampledrate": 3, "flag": True, "nothing": None},
    ],
    ids=lambda extras: next(iter(extras)),
)
def test_optional_and_extension_attributes_are_taken(extras: dict[str, Any]) -> None:
    assert decode(message(**extras)).id == "c1"


def test_trace_is_kept_and_a_malformed_one_is_ignored() -> None:
    assert decode(message(traceparent=TRACE)).trace == TRACE
    assert decode(message(traceparent="00-zz")).trace is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Refusal.NOT_JSON),
        (b"\xff\xfe", Refusal.NOT_JSON),
        (b"[1]", Refusal.NOT_JSON),
        (b"{", Refusal.NOT_JSON),
        (b'{"\xff": 1}', Refusal.NOT_JSON),
        (b'{"a":' * 40_000, Refusal.NOT_JSON),
        (b" " * (MAX_BYTES + 1), Refusal.OVERSIZE),
        (b"{}", Refusal.NOT_CLOUDEVENT),
        (message(subject=...), Refusal.NOT_CLOUDEVENT),
        (message(subject="orders-db"), Refusal.NOT_CLOUDEVENT),
        (message(subject=SUBJECT.upper()), Refusal.NOT_CLOUDEVENT),
        (message(subject=SUBJECT + "\n"), Refusal.NOT_CLOUDEVENT),
        (message(id=""), Refusal.NOT_CLOUDEVENT),
        (message(id="c1\n"), Refusal.NOT_CLOUDEVENT),
        (message(id=7), Refusal.NOT_CLOUDEVENT),
        (message(source="a b"), Refusal.NOT_CLOUDEVENT),
        (message(time="yesterday"), Refusal.NOT_CLOUDEVENT),
        (message(datacontenttype="text/xml"), Refusal.NOT_CLOUDEVENT),
        (message(data_base64="e30="), Refusal.NOT_CLOUDEVENT),
        (message(extension={"a": 1}), Refusal.NOT_CLOUDEVENT),
        (message(specversion="0.3"), Refusal.WRONG_VERSION),
        (message(dataschema="urn:trove:resources:volume:resize:2"), Refusal.WRONG_VERSION),
        (message(type="trove.resources.volume.shrink"), Refusal.UNKNOWN_TYPE),
        (message(type="com.example.order"), Refusal.UNKNOWN_TYPE),
        (message(data=None), Refusal.INVALID_DATA),
        (message(data="text"), Refusal.INVALID_DATA),
        (message(data={"project": "p1"}), Refusal.INVALID_DATA),
        (message(data={"project": "p1", "size": 0}), Refusal.INVALID_DATA),
        (message(data={"project": "p1", "size": "3"}), Refusal.INVALID_DATA),
        (message(data={"project": "p1", "size": 3, "sise": 4}), Refusal.INVALID_DATA),
        (message(data={"project": "p1\n", "size": 3}), Refusal.INVALID_DATA),
    ],
    ids=lambda value: value.value if isinstance(value, Refusal) else "",
)
def test_bad_message_is_refused_with_its_reason(raw: bytes, reason: Refusal) -> None:
    assert refusal(raw).reason is reason


def test_size_is_checked_before_anything_is_parsed() -> None:
    assert refusal(message(data={"x": "y" * MAX_BYTES})).reason is Refusal.OVERSIZE
    with pytest.raises(Refused, match="at most 10"):
        decode(b"x" * 11, max_bytes=10)


def test_what_the_types_cannot_say_is_checked_too() -> None:
    data = {"project": "p1", "cidrs": ["10.0.0.1/8"]}
    refused = refusal(message(type="trove.resources.security_group_rules.update", data=data))
    assert refused.reason is Refusal.INVALID_DATA
    assert "10.0.0.1/8" in refused.message


def test_refusal_names_the_field_and_no_secret() -> None:
    data = {"project": "p1", "image": "i", "user_data": ["hunter2"]}
    refused = refusal(message(type="trove.resources.instance.rebuild", data=data))
    assert "user_data" in refused.message
    assert "hunter2" not in str(refused)


def test_secret_is_hidden_in_the_command_and_written_for_the_broker() -> None:
    data = {"project": "p1", "image": "i", "user_data": "hunter2"}
    command = decode(message(type="trove.resources.instance.rebuild", data=data))
    assert command.body.user_data == Secret("hunter2")  # type: ignore[attr-defined]
    assert "hunter2" not in repr(command)
    assert json.loads(encode(command))["data"]["user_data"] == "hunter2"


#: The same examples every time, however slow the machine is.
STEADY = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=150,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def is_command_or_refused(raw: bytes) -> None:
    try:
        assert isinstance(decode(raw), Command)
    except Refused as refused:
        assert refused.reason in Refusal
        assert refused.message


@STEADY
@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_or_refused(raw: bytes) -> None:
    is_command_or_refused(raw)


@STEADY
@given(st.dictionaries(st.sampled_from([*GOOD, "time", "traceparent", "x", "Y"]), json_values))
def test_any_envelope_is_a_command_or_refused(changes: dict[str, Any]) -> None:
    is_command_or_refused(message(**changes))


@STEADY
@given(st.sampled_from(sorted(BODIES)), st.data())
def test_any_data_is_a_command_or_refused(name: str, data: st.DataObject) -> None:
    fields = [field.name for field in msgspec.structs.fields(BODIES[name])]
    body = data.draw(st.dictionaries(st.sampled_from(fields), json_values))
    is_command_or_refused(message(type=name, data=body))


@STEADY
@given(st.sampled_from(sorted(BODIES)), st.data())
def test_damaged_samples_are_commands_or_refused(name: str, data: st.DataObject) -> None:
    raw = bytearray(encode(COMMANDS[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    is_command_or_refused(bytes(raw))
