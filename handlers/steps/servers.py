"""Servers: make one, give one another flavor."""

from dataclasses import dataclass

from handlers.base import Answer, Cloud, Next
from handlers.commands import CreateInstance
from handlers.errors import Reason, Terminal
from handlers.instance import Ref
from handlers.keys import SERVER, VOLUME
from handlers.operation import Facts, Operation
from handlers.orders import NewServer
from handlers.resources import (
    Absent,
    ById,
    ByIdentity,
    Kind,
    Query,
    Resource,
    Seen,
    Server,
    Service,
)
from handlers.steps.ensure import Ensure
from handlers.steps.look import OnlyLooks

RESIZE = "resize"


def ensure_server(
    subject: str, create: CreateInstance, ports: tuple[str, ...], needs: frozenset[str]
) -> Ensure:
    """The server on the ports with these keys, with the data volume, ACTIVE."""

    def make(op: Operation, world: Cloud) -> Answer:
        volume = op.known_id(VOLUME)
        return world.create_server(
            NewServer(
                subject=subject,
                name=create.name,
                flavor=create.flavor,
                image=create.image,
                ports=tuple(op.known_id(key) or "" for key in ports),
                volumes=(volume,) if volume else (),
                zone=create.zone,
                user_data=create.user_data.reveal() if create.user_data else None,
                metadata=create.metadata,
                tags=create.tags,
                key_name=create.key_name,
                config_drive=create.config_drive,
            )
        )

    return Ensure(
        key=SERVER,
        kind=Kind.SERVER,
        subject=subject,
        make=make,
        ready=_ready,
        facts=lambda server: {},
        needs=needs,
    )


def _ready(server: Resource) -> Next:
    if server.status == "ERROR":
        raise Terminal(_fault(server), Reason.CLOUD_ERROR, service=Service.COMPUTE)
    return Next.DONE if server.status == "ACTIVE" else Next.WAIT


def _must_work(server: Server) -> None:
    """Raises Terminal in ERROR, when Nova is done with failing: it shows ERROR first, then writes
    the fault, and takes the task away at last (compute manager of Nova 34)."""
    if server.status == "ERROR" and not server.task:
        raise Terminal(_fault(server), Reason.CLOUD_ERROR, service=Service.COMPUTE)


def _fault(server: Resource) -> str:
    fault = getattr(server, "fault", None) or "Nova gave no fault"
    return f"server {server.id} went to ERROR: {fault}"


@dataclass(frozen=True, slots=True)
class Resize:
    """Give the server the flavor; DONE when it waits for the confirmation, or has been confirmed.

    Nova accepts first and may fail later. A server that went to ERROR is set ACTIVE again (its
    flavor is unchanged then: measured on Nova 34), and the step fails with Nova's own fault.
    """

    flavor: str
    key: str = RESIZE
    needs: frozenset[str] = frozenset()
    service: Service = Service.COMPUTE
    unique: bool = True
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return _server_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        server = _server(seen)
        if not op.touched(self.key):
            _must_work(server)
        if server.status == "ERROR":
            return Next.WAIT if server.task else Next.ACT
        if server.status == "VERIFY_RESIZE" or server.flavor == self.flavor:
            return self._resized(server)
        if server.status not in ("ACTIVE", "SHUTOFF") or server.task:
            return Next.WAIT
        if op.fact(self.key, "accepted"):
            raise Terminal(
                op.fact(self.key, "fault")
                or "Nova accepted the resize and gave up: the server keeps its flavor",
                Reason.CLOUD_ERROR,
                service=self.service,
            )
        return Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        server = _server(seen)
        if server.status == "ERROR":
            answer = world.reset_server(server.id)
            facts: Facts = {"accepted": self.flavor, "fault": _fault(server)}
        else:
            answer = world.resize_server(server.id, self.flavor)
            facts = {"accepted": self.flavor}
        return Answer(facts=facts, request_id=answer.request_id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()

    def _resized(self, server: Server) -> Next:
        if server.flavor != self.flavor:
            raise Terminal(
                f"another resize of server {server.id} (to {server.flavor}) waits for its verdict",
                Reason.REFUSED,
                service=self.service,
            )
        waits = server.status != "VERIFY_RESIZE" and server.task
        return Next.WAIT if waits else Next.DONE


@dataclass(frozen=True, slots=True)
class Confirm:
    """Confirm the resize: after it there is no way back."""

    flavor: str
    key: str = "confirm"
    needs: frozenset[str] = frozenset({RESIZE})
    service: Service = Service.COMPUTE
    unique: bool = True
    pivot: bool = True

    def wants(self, op: Operation) -> Query | None:
        return _server_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        server = _server(seen)
        _must_work(server)
        if server.status == "VERIFY_RESIZE":  # stays so for about a second after the confirmation
            return Next.WAIT if op.fact(self.key, "accepted") else Next.ACT
        if server.task or server.status not in ("ACTIVE", "SHUTOFF"):
            return Next.WAIT
        if server.flavor == self.flavor:
            return Next.DONE
        raise Terminal(
            f"the resize of server {server.id} was reverted by someone else",
            Reason.REFUSED,
            service=self.service,
        )

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        answer = world.confirm_resize(_server(seen).id)
        return Answer(facts={"accepted": True}, request_id=answer.request_id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        if isinstance(seen, Absent):
            return {}
        return {"status": _server(seen).status, "flavor": _server(seen).flavor}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        """The server, unless it was seen with its old flavor, or waiting for the verdict still."""
        status = op.fact(self.key, "status")
        if status in ("ACTIVE", "SHUTOFF"):
            as_before = op.fact(self.key, "flavor") != self.flavor
        else:
            as_before = status == "VERIFY_RESIZE" and not op.fact(self.key, "accepted")
        return () if as_before else _in_doubt(op, self.key, self.flavor)


@dataclass(frozen=True, slots=True)
class HasFlavor(OnlyLooks):
    """The server is there, with the flavor, and rests: what Heat says was done is looked at.

    Before a resize by Heat it must be `running`: Heat resizes one that is shut off, and then fails
    (measured on Heat 27). With a `subject` it is looked for by identity, together with others.
    """

    flavor: str
    key: str = "verify"
    running: bool = False
    subject: str = ""
    needs: frozenset[str] = frozenset()
    service: Service = Service.COMPUTE

    def wants(self, op: Operation) -> Query | None:
        query = _server_query(op)
        return ByIdentity(query.kind, self.subject, (query.id,)) if self.subject else query

    def check(self, op: Operation, seen: Seen) -> Next:
        server = _server(seen, op.known_id(SERVER))
        _must_work(server)
        if server.task or server.status == "BUILD" or "RESIZE" in server.status:
            return Next.WAIT
        if self.running and server.status != "ACTIVE":
            text = f"server {server.id} is {server.status}: Heat resizes only one that is ACTIVE"
            raise Terminal(text, Reason.REFUSED, service=self.service)
        if server.flavor == self.flavor:
            return Next.DONE
        text = f"server {server.id} has flavor {server.flavor}, not {self.flavor}"
        raise Terminal(text, Reason.CLOUD_ERROR, service=self.service)


@dataclass(frozen=True, slots=True)
class Revert:
    """The way back of `Resize`: the server has its old flavor, or never left it."""

    flavor: str
    key: str = RESIZE
    needs: frozenset[str] = frozenset()
    service: Service = Service.COMPUTE
    unique: bool = False
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return _server_query(op) if op.touched(self.key) else None

    def check(self, op: Operation, seen: Seen) -> Next:
        if isinstance(seen, Absent):
            return Next.DONE
        server = _server(seen)
        if server.status == "VERIFY_RESIZE" and server.flavor != self.flavor:
            return Next.DONE  # somebody else's resize: ours was never accepted
        if server.status in ("VERIFY_RESIZE", "ERROR"):
            return Next.ACT
        if server.task or "RESIZE" in server.status:
            return Next.WAIT
        if server.flavor == self.flavor:
            raise Terminal(
                f"server {server.id} has flavor {self.flavor} and cannot be reverted any more",
                Reason.CLOUD_ERROR,
                service=self.service,
            )
        return Next.DONE

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        server = _server(seen)
        if server.status == "ERROR":
            return world.reset_server(server.id)
        return world.revert_resize(server.id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return _in_doubt(op, self.key, self.flavor)


def _in_doubt(op: Operation, key: str, flavor: str) -> tuple[Ref, ...]:
    known = op.known_id(SERVER) if op.touched(key) else None
    note = f"it may have, or still get, flavor {flavor}"
    return (Ref(kind=Kind.SERVER, id=known, role=SERVER, note=note),) if known else ()


def _server_query(op: Operation) -> ById:
    known = op.known_id(SERVER)
    if known is None:
        raise Terminal(f"{op.subject} has no server", Reason.NOT_FOUND)
    return ById(Kind.SERVER, known)


def _server(seen: Seen, known: str | None = None) -> Server:
    """The server that was seen; with `known`, the one of several that has this id."""
    matches = () if isinstance(seen, Absent) else seen.matches
    for each in matches:
        if isinstance(each, Server) and known in (None, each.id):
            return each
    raise Terminal("the server does not exist any more", Reason.NOT_FOUND)
