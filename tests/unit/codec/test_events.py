"""Events as payloads and back."""

import json

import pytest
from msgspec.structs import replace

from consumer.codec.cloudevents import rfc3339
from consumer.codec.documents.migrations import migration_events
from consumer.codec.documents.samples import events
from consumer.codec.events import from_payload, to_payload
from handlers.commands import Command, DeleteInstance
from handlers.events import EventKind, MigrationEvent, News, event_of
from handlers.instance import Instance, Ref, Scope
from handlers.operation import Operation
from handlers.resources import Kind

TOLD: tuple[News, ...] = (*events(), *migration_events())
EVENTS = {event.type: event for event in TOLD}


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_event_comes_back_as_it_was(name: str) -> None:
    event = EVENTS[name]
    assert from_payload(json.loads(json.dumps(to_payload(event)))) == event


def test_payload_needs_no_json_library_of_ours() -> None:
    payload = to_payload(next(iter(EVENTS.values())))
    assert json.loads(json.dumps(payload)) == payload


def test_time_is_rfc3339_in_utc_with_microseconds() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
    assert rfc3339(1_767_323_045_000_006) == "2026-01-02T03:04:05.000006Z"


@pytest.mark.parametrize("wrong", [None, [], {}, {"id": "x"}, "text"])
def test_what_is_no_event_is_a_value_error(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_payload(wrong)


def test_time_without_a_zone_is_a_value_error() -> None:
    payload = to_payload(next(iter(EVENTS.values()))) | {"time": "2026-01-02T03:04:05"}
    with pytest.raises(ValueError, match="zone"):
        from_payload(payload)


def test_later_fields_and_attributes_do_not_disturb_a_reader() -> None:
    event = next(iter(EVENTS.values()))
    payload = to_payload(event) | {"extension": 1}
    payload["data"]["later"] = True
    assert from_payload(payload) == event


def test_what_a_migration_tells_has_one_id_and_says_how_urgent_it_is() -> None:
    told = [event for event in EVENTS.values() if isinstance(event, MigrationEvent)]
    assert len({event.id for event in told}) == len(told)
    assert [event.id for event in migration_events()] == [event.id for event in told]
    alarming = {event.kind.value for event in told if event.priority == "error"}
    assert alarming == {"canary.failed", "instance.failed"}


def test_nothing_is_told_of_what_belongs_to_another_project() -> None:
    scope = Scope(cloud="trove", region="RegionOne", project="p-1")
    command = Command(id="c-1", subject="i-1", source="test", body=DeleteInstance(project="p-1"))
    op = Operation(command=command, scope=scope, accepted=0)
    record = Instance(
        id="i-1",
        scope=scope,
        manager="natives",
        resources={"server": Ref(kind=Kind.SERVER, id="server-1")},
        flavor="2",
    )
    foreign = replace(record, scope=replace(scope, project="p-2"))

    assert event_of(op, EventKind.ERROR, 1, record).data.resources == record.resources
    told = event_of(op, EventKind.ERROR, 1, foreign).data
    assert (told.resources, told.flavor) == ({}, "")
