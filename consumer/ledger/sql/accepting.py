"""Commands in: what is new becomes a queued row, what is known is compared."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from consumer.ledger import rules
from consumer.ledger.base import Offer, Verdict
from consumer.ledger.sql.codec import Codec, Values
from consumer.ledger.sql.schema import operations, outbox
from consumer.secrets import Vault
from handlers.operation import Micros, Operation, Phase

PENDING = (Phase.QUEUED.value, Phase.FORWARD.value, Phase.UNDO.value)

_KNOWN = select(operations.c.id, operations.c.fingerprint, operations.c.phase).where(
    operations.c.id.in_(bindparam("ids", expanding=True))
)
_LAST = (
    select(operations.c.subject, func.max(operations.c.seq))
    .where(operations.c.subject.in_(bindparam("subjects", expanding=True)))
    .group_by(operations.c.subject)
)
_PENDING = select(operations.c.id, operations.c.subject, operations.c.project).where(
    operations.c.subject.in_(bindparam("subjects", expanding=True)),
    operations.c.phase.in_(PENDING),
)
_AGAIN = (
    update(outbox)
    .where(outbox.c.operation == bindparam("name"), outbox.c.kind == bindparam("told"))
    .values(sent=0)
)
_INSERT = insert(operations)


@dataclass(slots=True)
class Acceptance:
    """Offers of one caller with the rows that they become, if they are new."""

    offers: tuple[Offer, ...]
    rows: tuple[Values, ...]

    @property
    def weight(self) -> int:
        return len(self.rows)


@dataclass(slots=True)
class Plan:
    """What a group of acceptances writes; `marks` maps rows that are there to who cancels them."""

    new: dict[str, Values] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    again: list[Values] = field(default_factory=list)


class Accepting:
    """Plans and writes acceptances; the caller holds the transaction."""

    def __init__(self, codec: Codec, vault: Vault) -> None:
        self._codec = codec
        self._vault = vault

    def prepare(self, offers: Sequence[Offer], worker: str, now: Micros) -> Acceptance:
        """Encode the rows, outside of any transaction; a microsecond apart, to keep their order."""
        return Acceptance(
            tuple(offers),
            tuple(self._row(offer, worker, now + place) for place, offer in enumerate(offers)),
        )

    def _row(self, offer: Offer, worker: str, now: Micros) -> Values:
        command = offer.command
        op = Operation(command=command, scope=offer.scope, accepted=now, owner=worker)
        return {
            **self._codec.changes(op),
            "id": command.id,
            "subject": command.subject,
            "project": offer.scope.project,
            "command": command.name,
            "owner": worker,
            "version": 0,
            "accepted": now,
            "opened": 0,
            "finished": 0,
            "cancelled": None,
            "fingerprint": self._vault.fingerprint(command),
            "request": self._codec.request(command, offer.scope),
            "basis": None,
        }

    def plan(
        self, connection: Connection, jobs: Sequence[Acceptance]
    ) -> tuple[Plan, list[tuple[Verdict, ...]]]:
        """Decide on every offer, in order."""
        pairs = [pair for job in jobs for pair in zip(job.offers, job.rows, strict=True)]
        plan = Plan()
        if not pairs:
            return plan, []
        sight = _Sight(connection, [offer for offer, _ in pairs])
        verdicts = iter([self._decide(plan, sight, offer, row) for offer, row in pairs])
        return plan, [tuple(next(verdicts) for _ in job.offers) for job in jobs]

    def _decide(self, plan: Plan, sight: "_Sight", offer: Offer, row: Values) -> Verdict:
        command = offer.command
        known = sight.known.get(command.id)
        if known is not None:
            fingerprint, phase = known
            if not self._vault.matches(command, fingerprint):
                return Verdict.CONFLICT
            kind = rules.terminal_kind(phase)
            if kind is not None:
                plan.again.append({"name": command.id, "told": kind.value})
            return Verdict.KNOWN
        if offer.cancels:
            for other in sight.pending[command.subject, offer.scope.project]:
                if other in plan.new:
                    plan.new[other]["cancelled"] = plan.new[other]["cancelled"] or command.id
                else:
                    plan.marks.setdefault(other, command.id)
        sight.last[command.subject] += 1
        plan.new[command.id] = {**row, "seq": sight.last[command.subject]}
        sight.known[command.id] = (row["fingerprint"], Phase.QUEUED)
        sight.pending[command.subject, offer.scope.project].append(command.id)
        return Verdict.NEW

    def write(self, connection: Connection, plan: Plan) -> None:
        """Insert what is new, and let known ends be told again."""
        if plan.new:
            connection.execute(_INSERT, [plan.new[name] for name in sorted(plan.new)])
        for again in plan.again:
            connection.execute(_AGAIN, again)


class _Sight:
    """What the database knows of the offers' ids and subjects.

    Two workers that accept at the same time see the same and write the same (subject, seq) or id:
    the unique key stops one of them, and its transaction runs again.
    """

    def __init__(self, connection: Connection, offers: Sequence[Offer]) -> None:
        ids = list({offer.command.id for offer in offers})
        self.known = {
            name: (fingerprint, Phase(phase))
            for name, fingerprint, phase in connection.execute(_KNOWN, {"ids": ids})
        }
        subjects = list({offer.command.subject for offer in offers})
        self.last: dict[str, int] = defaultdict(int)
        self.last.update(_pairs(connection, _LAST, subjects))
        self.pending: dict[tuple[str, str], list[str]] = defaultdict(list)
        cancelling = list({offer.command.subject for offer in offers if offer.cancels})
        if cancelling:
            for name, subject, project in connection.execute(_PENDING, {"subjects": cancelling}):
                self.pending[subject, project].append(name)


def _pairs(connection: Connection, statement: Any, subjects: list[str]) -> list[tuple[Any, Any]]:
    return [(one, two) for one, two in connection.execute(statement, {"subjects": subjects})]
