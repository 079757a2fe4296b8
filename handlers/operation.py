"""An operation: one command on its way, as one row of the ledger.

Everything here is a value. The methods return the next value; only the ledger makes it true. Times
are microseconds of ledger time.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from handlers.commands import Command
from handlers.errors import WORTH_A_RETRY, Fault, Reason
from handlers.instance import Instance, Ref, Scope

Micros = int
SECOND: Micros = 1_000_000

#: What a step learned: ids, addresses, sizes. JSON values only.
Facts = dict[str, Any]

#: The fact under which a step counts its calls that were answered; a word may follow.
TRIES = "tries"

#: Entries that a timeline keeps from its beginning and from its end.
TIMELINE_HEAD, TIMELINE_TAIL = 8, 56


class Phase(StrEnum):
    """Where an operation stands. QUEUED waits for the locks of its subjects."""

    QUEUED = "queued"
    FORWARD = "forward"
    UNDO = "undo"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        return self in (Phase.FORWARD, Phase.UNDO)

    @property
    def is_final(self) -> bool:
        return self in (Phase.SUCCEEDED, Phase.FAILED)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why an operation failed, in the cloud's own words where it has any."""

    reason: Reason
    message: str
    service: str | None = None
    request_id: str | None = None

    @classmethod
    def of(cls, fault: Fault) -> "Failure":
        return cls(
            reason=fault.reason,
            message=fault.message,
            service=fault.service,
            request_id=fault.request_id,
        )

    @property
    def told(self) -> str:
        """The message, and whose it is."""
        return f"{self.service}: {self.message}" if self.service else self.message

    @property
    def worth_a_retry(self) -> bool:
        return self.reason in WORTH_A_RETRY


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the timeline: what was done or seen, when, and the cloud's request id."""

    at: Micros
    what: str
    step: str = ""
    detail: str = ""
    request_id: str | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One command on its way.

    `basis` is the subject's record as it was when the operation opened: plans are functions of the
    command and the basis, never of what was learned since. `quiet` holds, for each step whose call
    may still land, the time after which absence can be believed. `acted` is the time of the last
    call: no observation that began before it is used. `doubt` asks for the audit at the end.
    `trouble` is the last fault that a retry may mend; `given_up` are steps on the way back that
    cannot be done; `home` is the project of the cloud's credentials, where resources are made.
    `ended_in` is the phase that a finished operation was in: a resumed one goes on there.
    """

    command: Command
    scope: Scope
    accepted: Micros
    manager: str = ""
    plan_revision: int = 0
    phase: Phase = Phase.QUEUED
    basis: Instance | None = None
    done: frozenset[str] = frozenset()
    learned: dict[str, Facts] = {}
    quiet: dict[str, Micros] = {}
    acted: Micros = 0
    attempts: int = 0
    doubt: bool = False
    opened: Micros = 0
    deadline: Micros = 0
    finished: Micros = 0
    failure: Failure | None = None
    trouble: Failure | None = None
    given_up: frozenset[str] = frozenset()
    home: str = ""
    ended_in: Phase | None = None
    left: tuple[Ref, ...] = ()
    cancelled: str | None = None
    owner: str = ""
    version: int = 0
    timeline: tuple[Entry, ...] = ()

    @property
    def id(self) -> str:
        return self.command.id

    @property
    def subject(self) -> str:
        return self.command.subject

    def touched(self, key: str) -> bool:
        """Whether a call of this step may have had an effect."""
        return key in self.quiet or key in self.learned

    def fact(self, key: str, name: str = "id", default: Any = None) -> Any:
        """A fact that the step `key` learned."""
        return self.learned.get(key, {}).get(name, default)

    def note(
        self, at: Micros, what: str, step: str = "", detail: str = "", request_id: str | None = None
    ) -> "Operation":
        """With one more line in the timeline, which stays bounded: the middle goes first."""
        line = (
            *self.timeline,
            Entry(at=at, what=what, step=step, detail=detail, request_id=request_id),
        )
        if len(line) > TIMELINE_HEAD + TIMELINE_TAIL:
            line = line[:TIMELINE_HEAD] + line[-TIMELINE_TAIL:]
        return replace(self, timeline=line)

    def opening(
        self, *, basis: Instance | None, manager: str, revision: int, now: Micros, deadline: Micros
    ) -> "Operation":
        """The value that an operation has when it opens."""
        return replace(
            self,
            phase=Phase.FORWARD,
            basis=basis,
            manager=manager,
            plan_revision=revision,
            opened=now,
            deadline=deadline,
        ).note(now, "opened")

    def cancel(self, by: str) -> "Operation":
        """Something else takes its place, or an operator ends it."""
        return replace(self, cancelled=by)

    def mark(self, key: str, facts: Facts | None = None) -> "Operation":
        """The step is done; nothing of it can still land. That it was called is not forgotten."""
        learned = self.learned
        if facts or key in self.quiet:
            learned = {**learned, key: {**learned.get(key, {}), **(facts or {})}}
        quiet = {name: until for name, until in self.quiet.items() if name != key}
        return replace(self, done=self.done | {key}, learned=learned, quiet=quiet, attempts=0)

    def hush(self, key: str, until: Micros) -> "Operation":
        """Intent: a call is about to be made whose effect may show until `until`."""
        return replace(self, quiet={**self.quiet, key: until})

    def unhush(self, key: str) -> "Operation":
        """The call is known to be over: what is there now is all there will be."""
        return replace(
            self, quiet={name: until for name, until in self.quiet.items() if name != key}
        )

    def learn(self, key: str, facts: Facts, at: Micros) -> "Operation":
        """A call was answered: keep what it told; nothing seen before `at` counts any more."""
        return replace(
            self.unhush(key),
            learned={**self.learned, key: {**self.learned.get(key, {}), **facts}},
            acted=at,
            attempts=0,
            trouble=None,
        )

    def found(self, key: str, facts: Facts) -> "Operation":
        """Something was seen of a step that was touched; with no facts: it was touched for good."""
        return replace(self, learned={**self.learned, key: {**self.learned.get(key, {}), **facts}})

    def tried(self, at: Micros, trouble: Failure) -> "Operation":
        """A call did not go through: one more attempt, and nothing seen before it counts."""
        return replace(self, attempts=self.attempts + 1, acted=at, trouble=trouble)

    def give_up(self, key: str, failure: Failure) -> "Operation":
        """A step on a way without return cannot be done; the others go on."""
        return replace(
            self, given_up=self.given_up | {key}, failure=self.failure or failure, attempts=0
        )

    def fail(self, failure: Failure) -> "Operation":
        """It ends here; the first failure is the one that counts."""
        return replace(self, failure=self.failure or failure)

    def anew(self) -> "Operation":
        """Somebody resumes it: what a step counted as its tries begins again."""
        learned = {
            key: {
                name: 0 if name.partition(" ")[0] == TRIES else fact for name, fact in facts.items()
            }
            for key, facts in self.learned.items()
        }
        return replace(self, learned=learned, given_up=frozenset(), attempts=0)

    def known_id(self, key: str) -> str | None:
        """The cloud id under `key`: learned by this operation, or recorded before it."""
        learned: str | None = self.fact(key)
        if learned:
            return learned
        if self.basis is not None and key in self.basis.resources:
            return self.basis.resources[key].id
        return self.known_ids.get(key)

    @property
    def known_ids(self) -> dict[str, str]:
        """Cloud ids by step key that this operation learned: a step's own (`id`), or those of
        several resources that one look told (`resources`)."""
        found: dict[str, str] = {}
        for key, facts in self.learned.items():
            found.update(facts.get("resources", {}))
            if "id" in facts:
                found[key] = facts["id"]
        return found

    def doubted(self) -> "Operation":
        """Somebody's call may have landed unseen: audit at the end."""
        return replace(self, doubt=True)

    def to_undo(self, failure: Failure, deadline: Micros) -> "Operation":
        """Turn back: what was found and what may still land is kept."""
        return replace(
            self, phase=Phase.UNDO, done=frozenset(), failure=failure, deadline=deadline, attempts=0
        )

    def end(self, at: Micros, left: Iterable[Ref] = ()) -> "Operation":
        """The last value: FAILED when there is a failure, SUCCEEDED otherwise."""
        phase = Phase.FAILED if self.failure else Phase.SUCCEEDED
        return replace(self, phase=phase, ended_in=self.phase, finished=at, left=tuple(left))
