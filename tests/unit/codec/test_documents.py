"""The committed documents are the generated ones, and they tell the truth."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from consumer.codec.commands import decode, encode
from consumer.codec.documents.files import OWNED, contents, write
from consumer.codec.documents.migrations import migration_events
from consumer.codec.documents.samples import events
from consumer.codec.documents.schemas import short
from consumer.codec.events import from_payload, to_payload
from consumer.codec.refusal import Refusal
from consumer.ledger.fleet import Direction, Settings, Stage, Status
from handlers.commands import BODIES
from handlers.errors import Reason
from handlers.events import MIGRATION_TYPE, EventKind, MigrationKind, News

DOCS = Path(__file__).parents[3] / "docs"
COMMANDS = [short(name) for name in BODIES]
NEWS = [f"{MIGRATION_TYPE}.{kind}" for kind in MigrationKind]
EVENTS = [f"{name}.{kind}" for name in COMMANDS for kind in EventKind] + [
    short(name) for name in NEWS
]
FILES = contents()


def load(path: str) -> Any:
    return json.loads((DOCS / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(FILES))
def test_committed_file_is_the_generated_one(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == FILES[name], "run `make docs`"


def test_no_file_of_an_earlier_time_is_left() -> None:
    there = {str(path.relative_to(DOCS)) for folder in OWNED for path in (DOCS / folder).iterdir()}
    assert there == {name for name in FILES if name.startswith(OWNED)}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_sample_is_valid_and_reproduced(name: str) -> None:
    sample = load(f"samples/commands/{name}.json")
    Draft202012Validator(load(f"schemas/commands/{name}.json")).validate(sample)
    assert json.loads(encode(decode(json.dumps(sample).encode()))) == sample


@pytest.mark.parametrize("name", EVENTS)
def test_event_sample_is_valid_and_reproduced(name: str) -> None:
    sample = load(f"samples/events/{name}.json")
    Draft202012Validator(load(f"schemas/events/{name}.json")).validate(sample)
    assert to_payload(from_payload(sample)) == sample


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.startswith("schemas/")))
def test_schema_is_draft_2020_12(name: str) -> None:
    Draft202012Validator.check_schema(load(name))


def test_schema_refuses_what_the_codec_refuses() -> None:
    schema = Draft202012Validator(load("schemas/commands/volume.resize.json"))
    sample = load("samples/commands/volume.resize.json")
    for change in (
        {"specversion": "0.3"},
        {"subject": "orders"},
        {"data": {"project": "p"}},
        {"data": {"project": "p", "size": 3, "sise": 4}},
        {"extension": {"a": 1}},
    ):
        assert not schema.is_valid(sample | change)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "$ref":
                yield item
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_asyncapi_references_lead_somewhere() -> None:
    document = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert document["asyncapi"].startswith("3.")
    for reference in set(references(document)):
        if reference.startswith("./"):
            assert (DOCS / reference).is_file(), reference
            continue
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_asyncapi_names_every_command_and_event() -> None:
    document = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    told = {message["name"] for message in document["components"]["messages"].values()}
    events = {f"{name}.{kind}" for name in BODIES for kind in EventKind}
    assert told == {*BODIES, *events, *NEWS}


def test_migration_samples_speak_as_the_ledger_does() -> None:
    for event in migration_events():
        data = event.data
        assert data.settings == msgspec.to_builtins(Settings())
        assert data.direction in tuple(Direction)
        assert data.status in tuple(Status)
        assert set(data.stages) <= set(Stage)
        assert data.reason in ("", *Reason)


def test_asyncapi_puts_every_event_into_the_channel_of_its_priority() -> None:
    document = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    told: tuple[News, ...] = (*events(), *migration_events())
    for event in told:
        key = short(event.type).replace(".", "_")
        channels = [
            name for name in ("info", "error") if key in document["channels"][name]["messages"]
        ]
        assert channels == [event.priority]


def test_page_tells_every_command_and_every_reason() -> None:
    page = (DOCS / "messages.md").read_text(encoding="utf-8")
    assert all(f"### {name}\n" in page for name in COMMANDS)
    assert all(f"| `{name}` |" in page for name in NEWS)
    assert all(f"| `{reason}` |" in page for reason in (*Reason, *Refusal))


def test_writing_again_changes_nothing_and_removes_what_is_old(tmp_path: Path) -> None:
    assert {str(path.relative_to(tmp_path)) for path in write(tmp_path)} == set(FILES)
    assert list(write(tmp_path)) == []
    old = tmp_path / "samples/commands/instance.shrink.json"
    old.write_text("{}")
    assert list(write(tmp_path)) == [old]
