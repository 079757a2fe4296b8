"""What a source says of one instance, and what is said about it after it was compared."""

from enum import StrEnum

import msgspec

from handlers.instance import Instance


class Unreadable(Exception):
    """The source cannot be read; the message is one sentence that says why."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One instance as a source names it; what the source does not know is empty.

    Without `ports` those that are plugged into the server are meant, without `security_group` the
    one that carries the instance's identity. `flavor` is the flavor's id, `volume_size` in GiB:
    both are compared with the cloud where they are given. `region`, `task` and `doing` are Trove's:
    the region of the instance, and what Trove is doing with it, as a code and in words.
    """

    id: str
    project: str = ""
    server: str = ""
    volume: str = ""
    ports: tuple[str, ...] = ()
    security_group: str = ""
    flavor: str = ""
    volume_size: int = 0
    region: str = ""
    task: int = 1
    doing: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """Every cloud id that the row names."""
        named = (self.server, self.volume, *self.ports, self.security_group)
        return tuple(one for one in named if one)


class Why(StrEnum):
    """Why a row does not match: a closed list, for programs that read the report."""

    INCOMPLETE = "incomplete"
    BUSY = "busy"
    FAILED = "failed"
    MISSING = "missing"
    PROJECT = "project"
    IDENTITY = "identity"
    ATTACHMENT = "attachment"
    FLAVOR = "flavor"
    VOLUME_SIZE = "volume_size"
    EXTRA = "extra"
    STACK = "stack"
    SHARED = "shared"
    RECORDED = "recorded"
    DELETED = "deleted"


#: What to do about each of them.
REMEDY: dict[Why, str] = {
    Why.INCOMPLETE: "complete the row in a file, or delete the instance in Trove",
    Why.BUSY: "wait until it has ended, then import again",
    Why.FAILED: "repair or delete it in Trove and the cloud first",
    Why.MISSING: "correct the id, or delete the instance in Trove: the cloud does not have it",
    Why.PROJECT: "name only what is in the project of the credentials or of the instance",
    Why.IDENTITY: "name the right one; or set its identity by hand, when it is this instance's",
    Why.ATTACHMENT: "name what is attached to the instance's server",
    Why.FLAVOR: "correct the source, or import with --take-cloud-values",
    Why.VOLUME_SIZE: "correct the source, or import with --take-cloud-values",
    Why.EXTRA: "delete what the instance does not use, or name it",
    Why.STACK: "find the ledger that has it, or take the stack away without what is in it",
    Why.SHARED: "correct the source: a resource belongs to one instance",
    Why.RECORDED: "look at 'instances show', and correct the source",
    Why.DELETED: "the instance was deleted here: delete it in Trove, or see what made it anew",
}


class Mismatch(msgspec.Struct, frozen=True):
    """One thing that does not match. `text` names the ids, `remedy` says what to do."""

    why: Why
    text: str

    @property
    def remedy(self) -> str:
        return REMEDY[self.why]


class Verdict(StrEnum):
    """What becomes of a row. NEW matches and can be imported, KNOWN has a record already that
    matches, ELSEWHERE lives in a region that was not asked for."""

    NEW = "new"
    IMPORTED = "imported"
    KNOWN = "known"
    ELSEWHERE = "elsewhere"
    MISMATCH = "mismatch"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A row after it was compared. `record` is the one to write, or that was found; `notes` are
    for people: values of the cloud that were taken instead of the row's, for example."""

    row: Row
    verdict: Verdict
    record: Instance | None = None
    mismatches: tuple[Mismatch, ...] = ()
    notes: tuple[str, ...] = ()
