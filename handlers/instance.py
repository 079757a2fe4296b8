"""The record of a subject: who owns it, and every resource id that belongs to it."""

from enum import StrEnum

import msgspec

from handlers.resources import Kind, Rule


class State(StrEnum):
    """What the ledger knows of a subject. DELETED is a tombstone: a late create is refused."""

    ACTIVE = "active"
    ERROR = "error"
    DELETED = "deleted"


class Scope(msgspec.Struct, frozen=True):
    """Where the resources live and whose they are.

    `cloud` is the entry of clouds.yaml, `project` the tenant that owns the subject. The resources
    themselves live in the project of that cloud's credentials.
    """

    cloud: str
    region: str
    project: str


class Ref(msgspec.Struct, frozen=True):
    """One resource in the cloud, as `resources` and `left_behind` of an event name it. The `id` is
    empty where one may be there that nobody could look for; then the `note` says which."""

    kind: Kind
    id: str
    role: str = ""
    note: str = ""

    def __str__(self) -> str:
        """For people."""
        if not self.id:
            return self.note or self.kind
        return f"{self.kind} {self.id}" + (f": {self.note}" if self.note else "")


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """A subject as the ledger records it.

    `resources` maps the key of the step that made a resource (`server`, `volume/data`,
    `port/user-0`, `security-group`) to what it made. `pinned` instances stay with their manager.
    `soaking`: its stack was adopted, and retains everything until that is committed. `doomed`:
    before it was adopted, Nova was to delete the data volume with the server; a release gives that
    back.
    """

    id: str
    scope: Scope
    manager: str
    state: State = State.ACTIVE
    resources: dict[str, Ref] = {}
    flavor: str = ""
    volume_size: int = 0
    rules: tuple[Rule, ...] = ()
    pinned: bool = False
    soaking: bool = False
    doomed: bool = False

    def ids(self, kind: Kind) -> tuple[str, ...]:
        """The recorded cloud ids of a kind."""
        return tuple(ref.id for ref in self.resources.values() if ref.kind is kind)
