"""What there is before a command comes."""

from dataclasses import dataclass

from handlers.clouds.memory import CloudState
from handlers.commands import Body
from handlers.instance import Instance, Ref, Scope
from handlers.keys import GROUP, SERVER, VOLUME
from handlers.migration import NAME as MIGRATION
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.parts import Access, NamedResources
from handlers.resources import Kind
from handlers.steps.security_groups import rules_of
from tests.chaos.foreign import doom, make_foreign, mislead, occupy, resize
from tests.chaos.move_scenarios import adopt
from tests.chaos.scenario import ADMIN, KEPT, MYSQL, OLD, PROJECT, Start, create_group
from tests.chaos.scenario import create_instance as create
from tests.support.world import World

#: What Trove made, and what becomes of it before.
IMPORTED = {
    Start.IMPORTED: None,
    Start.SOAKING: adopt(commit=False),
    Start.ADOPTED: adopt(),
}


def deployed(start: Start, manager: str) -> str:
    """The manager of new instances: what MIGRATION is to move is made by one of the others."""
    if manager != MIGRATION:
        return manager
    return ORCHESTRATOR if start is Start.STACKED else NATIVES


@dataclass(slots=True)
class Ground:
    """What there is: `own` are things that carry no mark of ours, `occupied` is somebody's stack of
    our name."""

    own: NamedResources | None = None
    occupied: str | None = None


def prepare(start: Start, ground: Ground, state: CloudState, world: World, subject: str) -> None:
    """Make what is there at the start; `ground` knows at once what has no mark of ours."""
    if start in (Start.FOREIGN, Start.STRANGER):
        ground.own = make_foreign(state, subject)
    elif start in IMPORTED:
        ground.own = make_foreign(state, subject)
        _import(start, ground.own, state, world, subject)
    elif start not in (Start.NOTHING, Start.OCCUPIED):
        _run(world, subject, create_group() if start is Start.GROUP else create())
    if start in (Start.OCCUPIED, Start.TAKEN):
        ground.occupied = occupy(state, subject)
    if start is Start.DRIFTED:
        resize(state, subject, "4")
    if start is Start.MISLED:
        mislead(state, subject)


def _import(
    start: Start, own: NamedResources, state: CloudState, world: World, subject: str
) -> None:
    doom(state, own)
    world.ledger.import_records([record_of(own, subject)])
    move = IMPORTED[start]
    if move is not None:
        _run(world, subject, move(None))


def record_of(named: NamedResources, subject: str) -> Instance:
    """The record of an instance that `make_foreign` made."""
    (port,) = named.ports
    ids = {
        SERVER: (Kind.SERVER, named.server),
        VOLUME: (Kind.VOLUME, named.volume),
        "port/user-0": (Kind.PORT, port),
        GROUP: (Kind.SECURITY_GROUP, named.security_group),
    }
    return Instance(
        id=subject,
        scope=Scope(cloud="cloud", region="region", project=PROJECT),
        manager=NATIVES,
        resources={key: Ref(kind=kind, id=one or "", role=key) for key, (kind, one) in ids.items()},
        flavor="2",
        volume_size=2,
        rules=rules_of(Access(ports=(MYSQL, ADMIN), cidrs=(OLD, KEPT))),
    )


def _run(world: World, subject: str, body: Body) -> None:
    world.publish(world.command(subject, body))
    world.run()
