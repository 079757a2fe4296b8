"""Data volumes: make one, grow one."""

from dataclasses import dataclass

from handlers.base import Answer, Cloud, Next
from handlers.errors import Reason, Terminal
from handlers.instance import Ref
from handlers.keys import VOLUME
from handlers.operation import Facts, Operation
from handlers.orders import NewVolume
from handlers.parts import DataVolume
from handlers.resources import Absent, ById, Kind, Query, Resource, Seen, Service, Volume
from handlers.steps.ensure import Ensure


def ensure_volume(subject: str, volume: DataVolume) -> Ensure:
    """The data volume, available or already in use."""

    def make(op: Operation, world: Cloud) -> Answer:
        return world.create_volume(
            NewVolume(
                subject=subject,
                role=VOLUME,
                size=volume.size,
                type=volume.type,
                zone=volume.zone,
            )
        )

    return Ensure(
        key=VOLUME,
        kind=Kind.VOLUME,
        subject=subject,
        make=make,
        ready=_ready,
        facts=_facts,
    )


def _facts(volume: Resource) -> Facts:
    return {"size": volume.size} if isinstance(volume, Volume) else {}


def _ready(volume: Resource) -> Next:
    if volume.status.startswith("error"):
        raise Terminal(
            f"volume {volume.id} went to status {volume.status}",
            Reason.CLOUD_ERROR,
            service=Service.BLOCK_STORAGE,
        )
    return Next.WAIT if volume.status == "creating" else Next.DONE


@dataclass(frozen=True, slots=True)
class Extend:
    """Grow the volume, online where it is in use (Cinder 3.42 and later).

    Cinder accepts first and may fail later: the volume is then in error_extending with its old
    size. The step sets the status back and then fails, so that the volume is left as it was; when
    it was somebody else's extension that failed, it sets the status back and extends.
    """

    size: int
    key: str = VOLUME
    needs: frozenset[str] = frozenset()
    service: Service = Service.BLOCK_STORAGE
    unique: bool = True
    pivot: bool = True

    def wants(self, op: Operation) -> Query | None:
        return ById(Kind.VOLUME, _known_volume(op))

    def check(self, op: Operation, seen: Seen) -> Next:
        volume = _volume(seen)
        if volume.status == "error_extending":
            return Next.ACT
        if volume.status == "error":
            raise Terminal(f"volume {volume.id} is in error", service=self.service)
        if volume.status not in ("available", "in-use"):
            return Next.WAIT
        if volume.size == self.size:
            return Next.DONE
        if volume.size > self.size:
            raise Terminal(
                f"the volume has {volume.size} GiB: it cannot shrink to {self.size} GiB",
                Reason.INVALID,
            )
        if op.fact(self.key, "accepted"):
            raise Terminal(
                f"Cinder accepted the extension to {self.size} GiB and failed; "
                f"the volume still has {volume.size} GiB",
                Reason.CLOUD_ERROR,
                service=self.service,
            )
        return Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        volume = _volume(seen)
        if volume.status == "error_extending":
            answer = world.reset_volume(volume.id, "in-use" if volume.servers else "available")
            return Answer(request_id=answer.request_id)
        answer = world.extend_volume(volume.id, self.size)
        return Answer(facts={"accepted": self.size}, request_id=answer.request_id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        if isinstance(seen, Absent):
            return {}
        return {"size": _volume(seen).size, "status": _volume(seen).status}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        """The volume, unless it was seen to be as it was before."""
        known = op.known_id(VOLUME)
        settled = op.fact(self.key, "status") in ("available", "in-use")
        as_before = settled and op.fact(self.key, "size") != self.size
        if known is None or not op.touched(self.key) or as_before:
            return ()
        note = f"it may have, or still get, {self.size} GiB"
        return (Ref(kind=Kind.VOLUME, id=known, role=VOLUME, note=note),)


def _known_volume(op: Operation) -> str:
    known = op.known_id(VOLUME)
    if known is None:
        raise Terminal(f"{op.subject} has no data volume", Reason.NOT_FOUND)
    return known


def _volume(seen: Seen) -> Volume:
    if isinstance(seen, Absent) or not isinstance(seen.matches[0], Volume):
        raise Terminal("the data volume does not exist any more", Reason.NOT_FOUND)
    return seen.matches[0]
