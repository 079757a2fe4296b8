"""What a migration into stacks needs and a cloud does not allow, found out without doing harm."""

from collections.abc import Callable

from handlers.clouds.openstack.compute import DOOM
from handlers.clouds.openstack.orchestration import Orchestration
from handlers.clouds.openstack.rehearsal import rehearse
from handlers.errors import Ambiguous, Reason, Retryable, Terminal
from handlers.lacks import ADOPTION, DOOMING, ROOM, TWINS, Lacks


def lacks(
    nova: tuple[int, ...], stacks: Orchestration, pause: Callable[[float], None]
) -> tuple[Lacks, ...]:
    """`nova` is its newest microversion. An empty stack is adopted and deleted again; where that is
    not allowed an empty one is made, for adoption is not all that a cloud may lack.

    Heat tells nobody how many stacks a project may have: that the limit is reached is told, how
    near it is not. Raises Retryable when the cloud cannot be asked now.
    """
    found = [] if nova >= tuple(map(int, DOOM.split("."))) else [DOOMING]
    lack = _rehearsed(stacks, pause, adopt=True)
    if lack is None:
        return tuple(found)
    found.append(lack)
    if lack is ADOPTION and (more := _rehearsed(stacks, pause, adopt=False)):
        found.append(more)
    return tuple(found)


def _rehearsed(
    stacks: Orchestration, pause: Callable[[float], None], *, adopt: bool
) -> Lacks | None:
    try:
        rehearsed = rehearse(stacks, pause, adopt=adopt)
    except Terminal as fault:
        return _lack_of(fault)
    except Ambiguous as fault:
        raise Retryable(fault.message, fault.reason, service=fault.service) from None
    return TWINS if adopt and not rehearsed.adopted else None


def _lack_of(fault: Terminal) -> Lacks:
    if fault.reason is Reason.UNSUPPORTED:
        return ADOPTION
    if fault.reason is Reason.QUOTA:
        return ROOM
    if fault.reason is Reason.CREDENTIALS:
        return Lacks(what="Heat cannot make trusts with these credentials", remedy=fault.message)
    return Lacks(what=f"Heat makes no stack: {fault.message}", remedy="see the log of heat-engine")
