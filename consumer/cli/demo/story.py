"""What the demo plays: a few instances, each with its life, and what must come of each command."""

from typing import NamedTuple
from uuid import uuid4

from handlers.clouds.memory.settings import Catalogue
from handlers.commands import (
    AdoptInstance,
    Body,
    CreateInstance,
    DeleteInstance,
    ReleaseInstance,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason
from handlers.migration import NAME as MIGRATION
from handlers.parts import Access, DataVolume, Network
from handlers.resources import PortRange
from handlers.secret import Secret

#: The tenant whose instances these are.
PROJECT = "99750a89225047649eb4d56a4e9a1f7d"

_THERE = Catalogue()
_SMALL, _MEDIUM, _LARGE = (flavor.id for flavor in _THERE.flavors[:3])
_MYSQL = PortRange("tcp", 3306, 3306)


class Line(NamedTuple):
    """One command of an instance's life. `fails` names the reason when it must not succeed."""

    body: Body
    fails: Reason | None = None
    twice: bool = False


class Life(NamedTuple):
    """One instance: its create, what is done to it in between, and its end."""

    name: str
    subject: str
    create: Line
    rest: tuple[Line, ...]


def lives(count: int, manager: str) -> tuple[Life, ...]:
    """`count` instances that live, and one that cannot be built and leaves nothing behind. With
    MIGRATION those that live change hands twice, out of their stacks and back."""
    moving = manager == MIGRATION
    return (*(_life(number, moving=moving) for number in range(1, count + 1)), _doomed())


def _life(number: int, *, moving: bool) -> Life:
    middle: tuple[Line, ...] = (
        Line(ResizeVolume(project=PROJECT, size=2 + number)),
        Line(ResizeInstance(project=PROJECT, flavor=_MEDIUM if number % 2 else _LARGE)),
        Line(UpdateSecurityGroupRules(project=PROJECT, cidrs=(f"10.{number}.0.0/16", "fd00::/64"))),
    )
    turn = number % len(middle)
    middle = (*middle[turn:], *middle[:turn])
    if moving:
        out, into = Line(ReleaseInstance(project=PROJECT)), Line(AdoptInstance(project=PROJECT))
        middle = (out, *middle[:2], into, *middle[2:])
    return Life(
        name=f"db-{number}",
        subject=str(uuid4()),
        # a publisher that is not sure whether its command arrived sends it again
        create=Line(_create(f"db-{number}", _SMALL), twice=number == 1),
        rest=(*middle, Line(DeleteInstance(project=PROJECT))),
    )


def _doomed() -> Life:
    create = Line(_create("no-flavor", "no-such-flavor"), fails=Reason.NOT_FOUND)
    return Life(name="no-flavor", subject=str(uuid4()), create=create, rest=())


def _create(name: str, flavor: str) -> CreateInstance:
    return CreateInstance(
        project=PROJECT,
        name=name,
        flavor=flavor,
        image=_THERE.images[0].id,
        networks=(Network(network=_THERE.networks[1].id),),
        volume=DataVolume(size=1),
        access=Access(ports=(_MYSQL,), cidrs=("10.0.0.0/8",)),
        user_data=Secret("#cloud-config\npassword: only the server may know this\n"),
    )
