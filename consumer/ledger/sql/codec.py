"""Rows to structs and back.

An operation's JSON is split by how often it changes: `request` (command and scope) is written at
acceptance, `basis` at opening, `state` by every save. Fields that a row does not know are left at
their default, fields that this release does not know are ignored; a row whose command or format
this release cannot read is Unreadable and left to others.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from consumer.canonical import told
from consumer.ledger.sql.schema import operations
from consumer.secrets import WIPED, Undecipherable, Vault
from handlers.commands import BODIES, Body, Command
from handlers.events import MIGRATION_TYPE, Event, EventKind, MigrationEvent, News
from handlers.instance import Instance, Scope
from handlers.operation import Operation, Phase
from handlers.secret import Secret

#: Raised when a release could not read rows of an older one; older releases leave such rows alone.
FORMAT = 1

Values = dict[str, Any]

#: Fields of an operation that have a column; `command` and `scope` make up the request.
_COLUMNS = {
    "accepted": "accepted",
    "manager": "manager",
    "plan_revision": "revision",
    "opened": "opened",
    "deadline": "deadline",
    "finished": "finished",
    "cancelled": "cancelled",
    "owner": "owner",
    "version": "version",
}
_APART = {*_COLUMNS, "command", "scope", "phase", "basis"}
_FIELDS = tuple(field for field in msgspec.structs.fields(Operation) if field.name not in _APART)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()


_DEFAULTS = tuple((field.name, _default(field)) for field in _FIELDS)

#: The fields of an operation that only its owner reads, as one JSON object.
_State = msgspec.defstruct(
    "_State",
    [("format", int), *((field.name, field.type, _default(field)) for field in _FIELDS)],
)

#: What of a row makes an operation.
OPERATION_COLUMNS = [
    operations.c[name] for name in ("phase", "request", "basis", "state", *_COLUMNS.values())
]


class Columns(Protocol):
    """A row by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...


class Unreadable(Exception):
    """A row that this release or this configuration cannot read; others can."""


class _Request(msgspec.Struct):
    format: int
    type: str
    id: str
    subject: str
    source: str
    scope: Scope
    body: msgspec.Raw
    trace: str | None = None


class _Typed(msgspec.Struct):
    type: str


class Codec:
    """Encodes and decodes rows; secrets go through the vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._encoder = msgspec.json.Encoder(enc_hook=self._seal, order="deterministic")
        self._request = msgspec.json.Decoder(_Request)
        self._state = msgspec.json.Decoder(_State)
        self._instance = msgspec.json.Decoder(Instance)
        self._typed = msgspec.json.Decoder(_Typed)
        self._event = msgspec.json.Decoder(Event)
        self._migration_event = msgspec.json.Decoder(MigrationEvent)
        self._bodies = _decoders(self._unseal)
        self._views = _decoders(_hide)

    # -- operations -----------------------------------------------------------------------------

    def request(self, command: Command, scope: Scope) -> str:
        return self._text(
            {
                "format": FORMAT,
                "type": command.type,
                "id": command.id,
                "subject": command.subject,
                "source": command.source,
                "scope": scope,
                "body": told(command.body),
                "trace": command.trace,
            }
        )

    def changes(self, op: Operation) -> Values:
        """The columns that a save writes, but for the fence."""
        state: Values = {"format": FORMAT}
        for name, default in _DEFAULTS:
            value = getattr(op, name)
            if value != default:
                state[name] = value
        return {
            "manager": op.manager,
            "revision": op.plan_revision,
            "phase": op.phase.value,
            "deadline": op.deadline,
            "state": self._text(state),
        }

    def operation(self, row: Columns, *, secrets: bool = True) -> Operation:
        """The operation of a row with OPERATION_COLUMNS; `secrets` False leaves them wiped.

        Raises Unreadable.
        """
        try:
            request = self._request.decode(row["request"])
            state: Any = self._state.decode(row["state"])
            if max(request.format, state.format) > FORMAT:
                raise Unreadable(f"operation {request.id} was written by a newer release")
            command = self._command(request, self._bodies if secrets else self._views)
            return Operation(
                command=command,
                scope=request.scope,
                phase=Phase(row["phase"]),
                basis=self.instance(row["basis"]) if row["basis"] else None,
                **{name: row[column] for name, column in _COLUMNS.items()},
                **{name: getattr(state, name) for name, _ in _DEFAULTS},
            )
        except (msgspec.MsgspecError, KeyError, ValueError, Undecipherable) as error:
            raise Unreadable(f"an operation cannot be read: {_words(error)}") from None

    def operations(self, rows: Sequence[Columns], *, secrets: bool = True) -> list[Operation]:
        """The operations of the rows that can be read."""
        read = []
        for row in rows:
            try:
                read.append(self.operation(row, secrets=secrets))
            except Unreadable:
                continue
        return read

    def _command(self, request: _Request, bodies: "_Decoders") -> Command:
        return Command(
            id=request.id,
            subject=request.subject,
            source=request.source,
            body=bodies[request.type].decode(request.body),
            trace=request.trace,
        )

    # -- records and events ---------------------------------------------------------------------

    def instance(self, text: str) -> Instance:
        return self._instance.decode(text)

    def basis(self, op: Operation) -> str | None:
        return self._text(op.basis) if op.basis else None

    def record(self, instance: Instance, written: int) -> Values:
        """The row of a record."""
        return {
            "id": instance.id,
            "manager": instance.manager,
            "state": instance.state.value,
            "project": instance.scope.project,
            "written": written,
            "record": self._text(instance),
        }

    def event(self, text: str) -> News:
        """Raises msgspec.MsgspecError."""
        if self._typed.decode(text).type.startswith(f"{MIGRATION_TYPE}."):
            return self._migration_event.decode(text)
        return self._event.decode(text)

    def letter(self, event: News) -> Values:
        """The row of an event that was not sent yet."""
        if isinstance(event, MigrationEvent):
            of, kind = event.data.migration, event.kind.value
        else:
            of, kind = event.data.operation, EventKind(event.type.rpartition(".")[2]).value
        return {
            "id": event.id,
            "operation": of,
            "kind": kind,
            "time": event.time,
            "sent": 0,
            "event": self._text(event),
        }

    def _text(self, value: Any) -> str:
        return self._encoder.encode(value).decode()

    def _seal(self, value: Any) -> Any:
        if isinstance(value, Secret):
            return self._vault.seal(value)
        raise TypeError(f"cannot encode {type(value).__name__}")

    def _unseal(self, kind: type, value: Any) -> Any:
        return self._vault.unseal(value) if kind is Secret else value


_Decoders = Mapping[str, "msgspec.json.Decoder[Body]"]


def _decoders(hook: Any) -> dict[str, msgspec.json.Decoder[Body]]:
    return {name: msgspec.json.Decoder[Body](body, dec_hook=hook) for name, body in BODIES.items()}


def _hide(kind: type, value: Any) -> Any:
    return WIPED if kind is Secret else value


def _words(error: Exception) -> str:
    """What may be said of a row that cannot be read: never its content."""
    if isinstance(error, KeyError):
        return f"this release does not know {error}"
    return str(error)
