"""Which file holds which document."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from consumer.codec.commands import to_dict
from consumer.codec.documents import asyncapi, tables
from consumer.codec.documents.migrations import migration_events
from consumer.codec.documents.samples import COMMANDS, events
from consumer.codec.documents.schemas import all_schemas, short
from consumer.codec.events import to_payload
from handlers.events import News
from handlers.template import document_of

#: Directories that hold nothing but generated files.
OWNED = (
    "schemas/commands",
    "schemas/events",
    "samples/commands",
    "samples/events",
    "samples/templates",
)


def contents() -> dict[str, str]:
    """Path below docs/ -> text."""
    files = {f"schemas/{name}.json": _json(schema) for name, schema in all_schemas().items()}
    for name, command in COMMANDS.items():
        files[f"samples/commands/{short(name)}.json"] = _json(to_dict(command))
        if stack := document_of(command.subject, command.body):
            files[f"samples/templates/{short(name)}.yaml"] = stack.shown()
    told: tuple[News, ...] = (*events(), *migration_events())
    for event in told:
        files[f"samples/events/{short(event.type)}.json"] = _json(to_payload(event))
    files["asyncapi.yaml"] = yaml.safe_dump(asyncapi.document(), sort_keys=False, width=100)
    files["messages.md"] = tables.page()
    return files


def write(target: Path) -> Iterator[Path]:
    """Write all files, remove generated ones that are no longer made; yields what changed."""
    wanted = {target / name: text for name, text in contents().items()}
    for folder in OWNED:
        (target / folder).mkdir(parents=True, exist_ok=True)
        for path in (target / folder).iterdir():
            if path not in wanted:
                path.unlink()
                yield path
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            yield path


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
