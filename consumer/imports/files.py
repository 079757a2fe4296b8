"""Rows of a JSON or CSV file that an operator wrote or exported."""

import csv
import io
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from consumer.imports.rows import Row, Unreadable
from handlers.parts import GiB, Id

#: CSV has no lists: these are separated by spaces there.
_LISTS = frozenset({"ports"})


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One object of the JSON list, or one line of the CSV."""

    id: Id
    project: Id
    server: Id
    volume: Id | None = None
    ports: Annotated[tuple[Id, ...], Meta(max_length=16)] = ()
    security_group: Id | None = None
    flavor: Id | None = None
    volume_size: GiB | None = None


def rows_of_file(path: Path) -> tuple[Row, ...]:
    """The rows of a .json or .csv file, in its order; raises Unreadable."""
    reader = {".json": _json, ".csv": _csv}.get(path.suffix.lower())
    if reader is None:
        raise Unreadable(f"{path} is neither a .json nor a .csv file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from None
    try:
        return tuple(_row(where, raw) for where, raw in reader(text))
    except (msgspec.MsgspecError, csv.Error) as error:
        raise Unreadable(f"{path}: {error}") from None


def _json(text: str) -> list[tuple[str, Any]]:
    found = msgspec.json.decode(text, type=list[dict[str, Any]])
    return [(f"entry {number}", raw) for number, raw in enumerate(found, 1)]


def _csv(text: str) -> list[tuple[str, Any]]:
    """Empty cells are left out; blank lines are skipped. Lines are counted as editors do."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found = []
    for raw in reader:
        where = f"line {reader.line_num}"
        if None in raw:
            raise csv.Error(f"{where} has more cells than the header")
        filled = {name: cell.strip() for name, cell in raw.items() if cell and cell.strip()}
        found.append((where, {name: _cell(name, cell) for name, cell in filled.items()}))
    return found


def _cell(name: str, cell: str) -> str | list[str]:
    return cell.split() if name in _LISTS else cell


def _row(where: str, raw: Any) -> Row:
    try:
        entry = msgspec.convert(raw, Entry, strict=False)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{where}: {error}") from None
    given = {name: value for name, value in msgspec.structs.asdict(entry).items() if value}
    return Row(**given)
