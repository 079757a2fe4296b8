"""Commands, operations and endings, as short as the tests want them."""

from msgspec.structs import replace

from consumer.ledger.base import Ending, Ledger, Offer, Verdict
from handlers.commands import Body, Command, CreateInstance, DeleteInstance
from handlers.errors import Reason
from handlers.events import Event, EventKind, News, event_of
from handlers.instance import Instance, Ref, Scope, State
from handlers.operation import SECOND, Failure, Micros, Operation
from handlers.parts import Network
from handlers.resources import Kind
from handlers.secret import Secret

EPOCH: Micros = 1_700_000_000 * SECOND
SCOPE = Scope(cloud="trove", region="RegionOne", project="p1")
CANARY = "canary-8c1f-user-data"


class VirtualClock:
    """The ledger's time, as far as a test lets it go."""

    def __init__(self) -> None:
        self._now = EPOCH

    def now(self) -> Micros:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += int(seconds * SECOND)


def create(*, secret: str = "", name: str = "db") -> CreateInstance:
    return CreateInstance(
        project="p1",
        name=name,
        flavor="f1",
        image="i1",
        networks=(Network(network="n1"),),
        user_data=Secret(secret) if secret else None,
    )


def offer(
    name: str, subject: str = "s1", *, body: Body | None = None, cancels: bool = False
) -> Offer:
    """A create unless `body` says otherwise."""
    command = Command(id=name, subject=subject, source="test", body=body or create())
    return Offer(command=command, scope=SCOPE, cancels=cancels)


def removal(name: str, subject: str = "s1", *, project: str = "p1") -> Offer:
    """A delete, which supersedes what is open on its subject."""
    asked = offer(name, subject, body=DeleteInstance(project=project), cancels=True)
    return replace(asked, scope=replace(SCOPE, project=project))


def opener(op: Operation, basis: Instance | None, now: Micros) -> Operation:
    """Opens for ten minutes."""
    return replace(op, manager="NATIVES", plan_revision=1, deadline=now + 600 * SECOND)


def accept(ledger: Ledger, *offers: Offer, worker: str = "w1") -> None:
    """Accept what must be new."""
    assert set(ledger.accept(offers, worker)) == {Verdict.NEW}


def opened(
    ledger: Ledger, name: str = "c1", subject: str = "s1", *, worker: str = "w1", secret: str = ""
) -> Operation:
    """A create that was accepted and opened."""
    accept(ledger, offer(name, subject, body=create(secret=secret)), worker=worker)
    (op,) = (op for op in ledger.open(worker, opener, 100) if op.id == name)
    return op


def record(subject: str = "s1", state: State = State.ACTIVE, flavor: str = "f1") -> Instance:
    server = Ref(kind=Kind.SERVER, id=f"server-of-{subject}")
    return Instance(
        id=subject,
        scope=SCOPE,
        manager="NATIVES",
        state=state,
        flavor=flavor,
        resources={"server": server},
    )


def whose(event: News) -> str:
    """The operation that the event is about."""
    assert isinstance(event, Event), event
    return event.data.operation


def success(op: Operation, at: Micros, instance: Instance | None = None) -> Ending:
    after = op.end(at)
    event = event_of(after, EventKind.END, at, instance)
    return Ending(op=after, event=event, record=instance)


def failure(op: Operation, at: Micros, instance: Instance | None = None) -> Ending:
    trouble = Failure(reason=Reason.QUOTA, message="Quota exceeded for cores", service="compute")
    after = replace(op, failure=op.failure or trouble).end(at)
    event = event_of(after, EventKind.ERROR, at, instance)
    return Ending(op=after, event=event, record=instance)
