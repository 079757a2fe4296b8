"""Rows and structs: everything comes back, and rows stay small."""

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.canonical import told
from consumer.ledger.sql.codec import Codec, Unreadable
from consumer.secrets import Vault
from handlers.commands import BODIES, Body
from handlers.operation import Operation, Phase
from tests.contract.ledger.builders import EPOCH, create, offer, opener, record, success

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
CODEC = Codec(Vault([Vault.new_key()]))


def row(codec: Codec, op: Operation) -> dict[str, object]:
    """The columns of an operation's row that it is read from."""
    return {
        **codec.changes(op),
        "request": codec.request(op.command, op.scope),
        "basis": codec.basis(op),
        "accepted": op.accepted,
        "opened": op.opened,
        "finished": op.finished,
        "cancelled": op.cancelled,
        "owner": op.owner,
        "version": op.version,
    }


def operation(**fields: object) -> Operation:
    one = offer("c1", body=create(secret="x"))
    return msgspec.structs.replace(
        Operation(command=one.command, scope=one.scope, accepted=EPOCH), **fields
    )


@given(
    done=st.frozensets(TEXT, max_size=4),
    learned=st.dictionaries(TEXT, st.dictionaries(TEXT, JSON, max_size=3), max_size=3),
    quiet=st.dictionaries(TEXT, st.integers(0, 2**62), max_size=3),
    attempts=st.integers(0, 1000),
    doubt=st.booleans(),
    home=TEXT,
    phase=st.sampled_from(Phase),
    cancelled=st.none() | TEXT,
)
def test_every_operation_comes_back_as_it_was(**fields: object) -> None:
    op = operation(**fields)
    assert CODEC.operation(row(CODEC, op)) == op


def test_no_field_of_an_operation_is_forgotten() -> None:
    op = operation(basis=record(), owner="w1", version=4, ended_in=Phase.UNDO)
    for field in msgspec.structs.fields(Operation):
        assert getattr(CODEC.operation(row(CODEC, op)), field.name) == getattr(op, field.name)


def test_a_fresh_operation_has_an_empty_state() -> None:
    assert json.loads(CODEC.changes(operation())["state"]) == {"format": 1}


def test_the_same_state_is_the_same_text() -> None:
    one = operation(done=frozenset("abcdef"), quiet={"x": 1, "y": 2})
    two = operation(done=frozenset("fedcba"), quiet={"y": 2, "x": 1})
    assert CODEC.changes(one) == CODEC.changes(two)


def test_what_a_command_leaves_at_its_default_is_not_in_its_row() -> None:
    body = json.loads(CODEC.request(offer("c1").command, offer("c1").scope))["body"]
    assert body == {
        "project": "p1",
        "name": "db",
        "flavor": "f1",
        "image": "i1",
        "networks": [{"network": "n1"}],
    }


@pytest.mark.parametrize("kind", BODIES.values())
def test_the_short_form_of_every_command_is_read_back(kind: type[Body]) -> None:
    values = {
        "project": "p1",
        "name": "n",
        "flavor": "f",
        "image": "i",
        "networks": [{"network": "n1", "role": "management"}],
        "size": 3,
        "cidrs": ["10.0.0.0/8"],
        "is_public": True,
        "access": {"ports": [{"protocol": "tcp", "first": 1, "last": 2}], "cidrs": ["::/0"]},
    }
    names = {field.name for field in msgspec.structs.fields(kind)}
    body = msgspec.convert({k: v for k, v in values.items() if k in names}, kind)
    assert msgspec.convert(told(body), kind) == body


def test_what_cannot_be_read_is_said_without_its_content() -> None:
    broken = {**row(CODEC, operation()), "state": '{"format":1,"attempts":"canary"}'}
    with pytest.raises(Unreadable) as caught:
        CODEC.operation(broken)
    assert re.search("canary", str(caught.value)) is None


def test_an_event_and_a_record_come_back() -> None:
    ending = success(opener(operation(), None, EPOCH), EPOCH + 5, record())
    letter = CODEC.letter(ending.event)
    assert (letter["kind"], letter["operation"], letter["sent"]) == ("end", "c1", 0)
    assert CODEC.event(letter["event"]) == ending.event
    assert CODEC.instance(CODEC.record(record(), EPOCH)["record"]) == record()
