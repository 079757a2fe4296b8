"""Whether Nova deletes the data volume together with its server."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from handlers.adoption import observed_key
from handlers.base import Answer, Cloud, Next
from handlers.errors import Reason, Terminal
from handlers.instance import Ref
from handlers.keys import SERVER, VOLUME
from handlers.operation import Facts, Operation
from handlers.resources import Absent, InFull, Kind, Query, Seen, Server, Service

DOOM = "doom"

#: The fact how it was seen last.
_SEEN = "doomed"


def was_doomed(op: Operation) -> bool:
    """Whether Nova was seen to be told so, before anything was changed."""
    return bool(op.fact(observed_key(SERVER), "doomed", default=False))


def was_doomed_once(op: Operation) -> bool:
    """Whether it is recorded that Nova was told so before the instance was adopted."""
    return op.basis is not None and op.basis.doomed


@dataclass(frozen=True, slots=True)
class Doom:
    """The volume goes with the server, or does not, where `needed` says that this matters.

    A server that Trove made takes its volume with it. While a stack holds both, that would make the
    volume's Retain worth nothing; so it is taken away first, recorded, and given back at the end:
    as soon as the step `after` has begun, it is due.
    """

    doomed: bool
    needed: Callable[[Operation], bool]
    needs: frozenset[str] = frozenset()
    after: str = ""
    key: str = DOOM
    service: Service = Service.COMPUTE
    unique: bool = True  # a late call must not undo what the way back has given back
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        known = op.known_id(SERVER)
        return InFull(Kind.SERVER, known) if known and self.needed(op) else None

    def check(self, op: Operation, seen: Seen) -> Next:
        if isinstance(seen, Absent):
            return Next.DONE
        server, volume = seen.matches[0], op.known_id(VOLUME)
        if not isinstance(server, Server) or volume not in server.volumes:
            return Next.DONE
        return Next.DONE if (volume in server.doomed) == self.doomed else Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        server, volume = op.known_id(SERVER), op.known_id(VOLUME)
        if server is None or volume is None:
            raise Terminal("there is no volume to keep", Reason.INTERNAL)
        return replace(world.doom_volume(server, volume, self.doomed), facts={_SEEN: None})

    def learn(self, op: Operation, seen: Seen) -> Facts:
        """How it was seen since the last call."""
        if isinstance(seen, Absent):
            return {}
        server = seen.matches[0]
        return {_SEEN: op.known_id(VOLUME) in server.doomed} if isinstance(server, Server) else {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        known = op.known_id(VOLUME)
        is_due = op.touched(self.key) or (self.after and op.touched(self.after))
        if known is None or not is_due or not self.needed(op):
            return ()
        if op.fact(self.key, _SEEN) is self.doomed:
            return ()
        note = f"delete_on_termination may not be {str(self.doomed).lower()}, as it should be"
        return (Ref(kind=Kind.VOLUME, id=known, role=VOLUME, note=note),)
