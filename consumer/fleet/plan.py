"""The plan of a fleet migration: a file that people read, and that nobody may have edited."""

from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from consumer.canonical import told
from consumer.fleet.eligibility import Risk, Verdict, Why
from consumer.ledger.fleet import Direction, Settings
from handlers.instance import Instance
from handlers.lacks import Lacks

#: Raised when a release could not read the plans of an older one.
FORMAT = 1

#: Stacks of a project unless heat.conf says otherwise (`max_stacks_per_tenant`).
STACKS = 512


class BadPlan(ValueError):
    """A file that is no plan, or no longer the plan that was made; the message says what to do."""


class Cost(msgspec.Struct, frozen=True):
    """What planning asked of one service: requests, and seconds until they were answered."""

    requests: int
    seconds: float


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instance of a plan. `fingerprint` is its record's; `shape` tells instances of a kind;
    `batch` (0 is the canary) and `place` are its turn, both -1 for one that is not moved."""

    instance: str
    project: str
    verdict: Verdict
    reason: Why | None = None
    message: str = ""
    risks: tuple[Risk, ...] = ()
    shape: str = ""
    volume_size: int = 0
    batch: int = -1
    place: int = -1
    fingerprint: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A fleet migration before it is started.

    `created` is RFC 3339. `project` is the project of the credentials, `select` what was asked for
    in words, `max_stacks` the project's limit of stacks (0: none). `lacks` are what the cloud
    lacks, `cost` what planning asked of each service. `fingerprint` is the SHA-256 of all else.
    """

    format: int = FORMAT
    id: str = ""
    created: str
    direction: Direction
    cloud: str
    region: str
    project: str
    select: str
    settings: Settings
    max_stacks: int = STACKS
    lacks: tuple[Lacks, ...] = ()
    cost: dict[str, Cost] = {}
    instances: tuple[Entry, ...] = ()
    fingerprint: str = ""

    @property
    def eligible(self) -> tuple[Entry, ...]:
        """Those that can be moved, by their turn."""
        found = [each for each in self.instances if each.verdict is Verdict.ELIGIBLE]
        return tuple(sorted(found, key=lambda each: each.place))

    @property
    def is_ready(self) -> bool:
        """Whether something can be moved and the cloud lacks nothing."""
        return not self.lacks and bool(self.eligible)


def fingerprint(record: Instance) -> str:
    """SHA-256 over the record's canonical JSON: another one when anything in it changed."""
    return _digest(told(record))


def sealed(plan: Plan) -> Plan:
    """The plan with its id (unless it has one) and its fingerprint."""
    if not plan.id:
        digest = _digest(replace(plan, fingerprint=""))
        when = plan.created.translate({ord(sign): None for sign in "-:"}).replace("T", "-")
        plan = replace(plan, id=f"{plan.direction}-{when.rstrip('Z')}-{digest[:6]}")
    return replace(plan, fingerprint=_digest(replace(plan, fingerprint="")))


def written(plan: Plan) -> bytes:
    """The file: JSON with one field per line, ending in a line feed."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"


def read(content: bytes) -> Plan:
    """The plan of a file; raises BadPlan."""
    try:
        version = msgspec.json.decode(content, type=_Head).format
        if version != FORMAT:
            raise BadPlan(f"it has format {version}, this release reads {FORMAT}: plan again")
        plan = msgspec.json.decode(content, type=Plan)
    except msgspec.MsgspecError as error:
        raise BadPlan(f"it is no plan ({error}): make one with 'migrate plan --output'") from None
    if sealed(plan).fingerprint != plan.fingerprint:
        raise BadPlan(
            "it was edited: plan again with the options that you want, "
            "or give settings to 'migrate start'"
        )
    return plan


class _Head(msgspec.Struct):
    format: int


def _digest(value: Any) -> str:
    return sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
