"""What a scenario works with: it sends commands, waits, and checks what every ending promises."""

import uuid
from collections.abc import Callable, Iterable

import msgspec

from handlers.admission import by_operator
from handlers.commands import Body, Command, CreateInstance, DeleteInstance
from handlers.errors import REMEDY, Reason
from handlers.events import Event, EventKind, event_id
from handlers.instance import Instance, Ref, State
from handlers.operation import Operation, Phase
from handlers.resources import Kind, Service
from tests.contract.managers.inventory import Inventory
from tests.contract.managers.place import Deployment, Place
from tests.contract.managers.table import MOVER, MOVES, OWNERS, Manager
from tests.support.matrix import Measure
from tests.support.traffic import Traffic

TENANT = "a-tenant"

#: What must never be replaced.
_DATA = (Kind.SERVER, Kind.VOLUME, Kind.PORT)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has ended: its operation, its terminal event, and the record after it.

    `alone`: no other command was on its way meanwhile, so the traffic is its own.
    """

    operation: Operation
    event: Event
    record: Instance | None
    seconds: float
    traffic: Traffic
    alone: bool

    @property
    def calls(self) -> int:
        """Requests to the cloud."""
        return self.traffic.all

    @property
    def changes(self) -> int:
        """Those of them that change something."""
        return self.traffic.changes


class _Begun(msgspec.Struct):
    """How it was when a command was sent; `alone`: no other one has been on its way since."""

    seconds: float
    traffic: Traffic
    alone: bool


class Bench:
    """One manager on one place. Where others ask Heat too, or it is in a bad state, nobody can be
    `frugal`."""

    def __init__(self, place: Place, manager: Manager, *, frugal: bool = True) -> None:
        self._frugal = frugal
        self.place = place
        self.manager = manager
        self.site = place.site
        self.measures: list[Measure] = []
        self._deployment: Deployment = place.deployment(manager.name)
        self._begun: dict[str, _Begun] = {}
        self._data: dict[str, frozenset[str]] = {}
        self._moved: set[str] = set()

    @property
    def deployment(self) -> Deployment:
        """For tools beside the workers."""
        return self._deployment

    # -- commands -------------------------------------------------------------------------------

    def subject(self) -> str:
        """An id that nobody has used."""
        return str(uuid.uuid4())

    def send(self, subject: str, body: Body) -> Command:
        """A command arrives and is accepted."""
        command = Command(id=str(uuid.uuid4()), subject=subject, source="contract", body=body)
        for other in self._begun.values():
            other.alone = False
        self._begun[command.id] = _Begun(
            self._deployment.seconds(), self._deployment.traffic(), alone=not self._begun
        )
        if type(body) in MOVES:
            self._moved.add(subject)
        self._deployment.deliver(command)
        return command

    def succeed(self, subject: str, body: Body) -> Done:
        """The command ends well, and its event tells the truth about what is in the cloud."""
        return self.ended_well(self.send(subject, body))

    def ended_well(self, command: Command) -> Done:
        """Wait for it; the same promises."""
        done = self.ended(command)
        data = done.event.data
        assert data.error is None, f"{command.name} failed: {data.error}"
        assert done.operation.phase is Phase.SUCCEEDED
        assert data.left_behind == ()
        named = {ref.id for ref in data.resources.values()}
        there = self.look()
        missing = named - there.ids
        assert not missing, f"the event of {command.name} names what is not there: {missing}"
        self._all_is_recorded(command, done, there)
        self._is_frugal(command, done)
        self.promises_are_kept(command.subject)
        self._measure(command, "done", done)
        return done

    def promises_are_kept(self, subject: str) -> None:
        """What the subject's manager promises of everything that it owns holds for it."""
        record = self.record(subject)
        for promise in OWNERS[record.manager].promises:
            promise(self.place, record)

    def fail(self, subject: str, body: Body, reason: Reason, text: str = "") -> Done:
        """The command ends in an error that says why, and leaves nothing behind."""
        return self.ended_badly(self.send(subject, body), reason, text)

    def ended_badly(self, command: Command, reason: Reason, text: str = "") -> Done:
        """Wait for it; the same promises."""
        return self._failed(command, reason, text, left=frozenset())

    def fail_leaving(
        self, subject: str, body: Body, reason: Reason, left: Iterable[str], text: str = ""
    ) -> Done:
        """The command ends in an error that names what it leaves behind, by its ids."""
        return self._failed(self.send(subject, body), reason, text, frozenset(left))

    def _failed(self, command: Command, reason: Reason, text: str, left: frozenset[str]) -> Done:
        done = self.ended(command)
        error = done.event.data.error
        assert error is not None, f"{command.name} ended well"
        assert done.operation.phase is Phase.FAILED
        assert error.reason is reason, f"{command.name}: {error}"
        assert text.lower() in error.message.lower(), f"{text!r} is not in {error.message!r}"
        assert error.message and error.remedy == REMEDY[reason]
        assert {ref.id for ref in done.event.data.left_behind} == left
        self._all_is_recorded(command, done, self.look())
        outcome = "unsupported" if reason is Reason.UNSUPPORTED else "refused"
        self._measure(command, outcome, done)
        return done

    def ended(self, command: Command) -> Done:
        """Wait for the end; one start, then one terminal event, with the ids that they must have,
        about the subject, and with the resources that are recorded."""
        ledger = self._deployment.ledger
        patience = self.place.patience

        def is_over() -> bool:
            op = ledger.operation(command.id)
            return op is not None and op.phase.is_final

        over = self._deployment.wait(is_over, patience)
        op = ledger.operation(command.id)
        assert op is not None, f"{command.name} was lost"
        assert over, f"{command.name} has not ended after {patience} s: {op.timeline}"
        begun = self._begun.pop(command.id)
        now, traffic = self._deployment.seconds(), self._deployment.traffic()
        record = ledger.instance(command.subject)
        event = self._terminal(command)
        known = record.resources if record and record.state is not State.DELETED else {}
        if record is None or record.scope.project == command.body.project:
            assert event.data.resources == known
            self._data_stay(command, known.values())
        return Done(
            operation=op,
            event=event,
            record=record,
            seconds=now - begun.seconds,
            traffic=traffic.since(begun.traffic),
            alone=begun.alone,
        )

    def record(self, subject: str) -> Instance:
        """The subject's record; fails when there is none."""
        record = self._deployment.ledger.instance(subject)
        assert record is not None, f"{subject} is not recorded"
        return record

    def is_recorded(self, subject: str) -> bool:
        return self._deployment.ledger.instance(subject) is not None

    def pin(self, subject: str, *, pinned: bool) -> None:
        """An operator has the subject stay with its manager, or lets it move."""
        self._deployment.ledger.pin(subject, pinned=pinned)

    def stop(self, command: Command) -> None:
        """An operator ends the command, which is open."""
        self._deployment.ledger.cancel(command.id, by_operator("of the suite"))

    def wait_for_step(self, command: Command, step: str) -> None:
        """Wait until a step of the command has called the cloud."""
        ledger = self._deployment.ledger

        def has_acted() -> bool:
            op = ledger.operation(command.id)
            return op is not None and (step in op.learned or op.phase.is_final)

        assert self._deployment.wait(has_acted, self.place.patience), f"{step} never acted"

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Let time pass until it holds; fails when it does not."""
        assert self._deployment.wait(holds, self.place.patience), "it did not come about"

    # -- the cloud ------------------------------------------------------------------------------

    def look(self) -> Inventory:
        """Everything in the project, by another way than the manager's."""
        return self.place.look()

    def nothing_is_left(self) -> None:
        """The project is as empty as it was."""
        left = self.look()
        assert not left.ids, f"left in the cloud: {left}"

    # -- inner ----------------------------------------------------------------------------------

    def _data_stay(self, command: Command, resources: Iterable[Ref]) -> None:
        """Servers, volumes and ports of a subject are the same ones from create to delete."""
        now = frozenset(ref.id for ref in resources if ref.kind in _DATA)
        before = self._data.get(command.subject, now)
        if not isinstance(command.body, CreateInstance | DeleteInstance):
            assert now == before, f"{command.name} changed {before} to {now}"
        self._data[command.subject] = now

    def _all_is_recorded(self, command: Command, done: Done, there: Inventory) -> None:
        """No server, volume or port has the subject's identity that its record does not have."""
        recorded = done.record.resources.values() if done.record else ()
        unknown = there.data_of(command.subject) - {ref.id for ref in recorded}
        assert not unknown, f"{command.name} left what nobody recorded: {unknown}"

    def _is_frugal(self, command: Command, done: Done) -> None:
        """Heat was asked no more than the subject's manager promises, or a move may."""
        heat = OWNERS[done.record.manager].heat if done.record else {}
        limit = {**heat, **MOVES}.get(type(command.body), 0)
        asked = done.traffic.beside_listings.get(Service.ORCHESTRATION, 0)
        if done.alone and self._frugal:
            assert asked <= limit, f"{command.name} asked Heat {asked} times, not {limit}"

    def _terminal(self, command: Command) -> Event:
        events = self._deployment.ledger.events(command.id)
        kinds = [event.type.rpartition(".")[2] for event in events]
        assert kinds[:1] == ["start"], f"events of {command.name}: {kinds}"
        assert len(kinds) == 2 and kinds[1] in ("end", "error"), f"{command.name}: {kinds}"
        for event, kind in zip(events, kinds, strict=True):
            assert event.id == event_id(command.id, EventKind(kind))
            assert event.type == f"{command.type}.{kind}"
            assert (event.subject, event.data.subject) == (command.subject, command.subject)
            assert event.data.operation == command.id
            assert event.data.project == command.body.project
            scope = self._deployment.scope
            assert (event.data.cloud, event.data.region) == (scope.cloud, scope.region)
            assert event.data.manager in self._in_charge(command), event.data.manager
        return events[1]

    def _in_charge(self, command: Command) -> set[str]:
        """The managers that may carry the command out: after a move, the other one too."""
        if type(command.body) in MOVES:
            return {MOVER}
        if command.subject in self._moved:
            return set(OWNERS)
        return {self.manager.owner, self.manager.claimant}

    def _measure(self, command: Command, outcome: str, done: Done) -> None:
        self.measures.append(
            Measure(
                manager=self.manager.name,
                cloud=self.place.name,
                command=command.name,
                outcome=outcome,
                seconds=done.seconds,
                calls=done.calls,
                changes=done.changes,
                requests=done.traffic.beside_listings,
            )
        )
