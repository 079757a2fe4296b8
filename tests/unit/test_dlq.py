"""What people see of the dead-letter queue, and what nobody sees."""

import json
from typing import Any

import pytest

from consumer.broker.deadletters import AT, DETAIL, LETTER, REASON
from consumer.broker.inbox import Delivery
from consumer.codec.commands import to_dict
from consumer.codec.documents.samples import COMMANDS
from consumer.codec.refusal import Refusal
from consumer.dlq import HIDDEN, letter, letters, read
from handlers.commands import CreateInstance, RebuildInstance

CANARY = "canary-9d2c"


def delivery(
    body: bytes, reason: str = "invalid_data", at: str = "2026", name: str = "l1"
) -> Delivery:
    headers = {REASON: reason, DETAIL: "data: wrong", LETTER: name, AT: at}
    return Delivery(epoch=0, tag=1, body=body, headers=headers)


def rebuild(**data: Any) -> bytes:
    message = to_dict(COMMANDS[RebuildInstance.TYPE])
    return json.dumps(message | {"data": message["data"] | data}).encode()


def test_letter_says_what_it_is_why_and_what_to_do() -> None:
    found = read(delivery(rebuild(), Refusal.CONFLICT))
    assert found.reason == "conflict"
    assert found.detail == "data: wrong"
    assert found.remedy == "use a new id for every new command"
    assert found.type == RebuildInstance.TYPE
    assert found.command == COMMANDS[RebuildInstance.TYPE].id


def test_known_fields_are_shown() -> None:
    message = to_dict(COMMANDS[CreateInstance.TYPE])
    body = read(delivery(json.dumps(message).encode())).body
    shown = message | {"data": message["data"] | {"user_data": HIDDEN}}
    assert body == shown


@pytest.mark.parametrize(
    "body",
    [
        rebuild(user_data=CANARY),
        rebuild(user_dta=CANARY),
        rebuild(user_data=[CANARY]),
        rebuild(image={"x": CANARY}),
        rebuild(resources=CANARY.encode().hex()),
        json.dumps({"type": RebuildInstance.TYPE, "data": CANARY}).encode(),
        json.dumps({"type": "unknown", "data": {"password": CANARY}}).encode(),
        json.dumps({"type": RebuildInstance.TYPE, "extension": CANARY}).encode(),
        json.dumps({"time": {"x": CANARY}}).encode(),
        json.dumps([CANARY]).encode(),
        CANARY.encode(),
        rebuild(user_data=CANARY)[:-1],
    ],
)
def test_what_may_be_a_secret_is_never_shown(body: bytes) -> None:
    found = read(delivery(body))
    assert CANARY not in repr(found)
    assert CANARY.encode().hex() not in repr(found)


def test_letter_of_the_brokers_own_making_says_so() -> None:
    headers = {
        "x-death": [{"reason": "delivery_limit", "queue": "commands"}],
        "x-delivery-count": 21,
    }
    found = read(Delivery(epoch=0, tag=1, body=b"{}", headers=headers))
    assert (found.reason, found.deliveries) == ("delivery_limit", 21)
    assert "commands" in found.detail
    bare = read(Delivery(epoch=0, tag=1, body=b"{}"))
    assert bare.reason == "unknown"


def test_letters_are_listed_by_time_and_found_by_id() -> None:
    queue = (
        delivery(rebuild(), at="2026-02", name="l2"),
        delivery(b"x", at="2026-01", name="l1"),
    )
    assert [found.letter for found in letters(lambda limit: queue)] == ["l1", "l2"]
    assert letter(lambda limit: queue, "l2").at == "2026-02"
    assert letter(lambda limit: queue, COMMANDS[RebuildInstance.TYPE].id).letter == "l2"
    with pytest.raises(LookupError, match="nix"):
        letter(lambda limit: queue, "nix")
