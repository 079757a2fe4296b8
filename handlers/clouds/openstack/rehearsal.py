"""Does Heat make, or adopt, a stack with these credentials? An empty one is tried, and deleted."""

from collections.abc import Callable
from secrets import token_hex

import msgspec

from handlers.clouds.openstack.orchestration import Orchestration, adoption_data
from handlers.errors import Ambiguous, Terminal
from handlers.resources import Stack

_EMPTY = {"heat_template_version": "2018-08-31"}
_LOOKS = 40
_PAUSE = 0.5


class Rehearsed(msgspec.Struct, frozen=True):
    """A stack that is gone again. `adopted`: Heat said that it adopted it."""

    name: str
    adopted: bool


def rehearse(
    stacks: Orchestration, pause: Callable[[float], None], *, adopt: bool = False
) -> Rehearsed:
    """Make or adopt a stack without resources, and delete it.

    Raises the fault of the call that failed, and Terminal for a stack that does not go away in 20
    seconds.
    """
    name = f"trove-resources-preflight-{token_hex(6)}"
    data = {"adopt_stack_data": adoption_data(_EMPTY, {}, {})}
    fields = data if adopt else {"template": _EMPTY, "parameters": {}}
    try:
        stack, _ = stacks.make(name, environment={}, timeout_mins=1, **fields)
    except Ambiguous:
        for one in stacks.named([name]):
            stacks.remove(name, one.id)
        raise
    begun = stacks.get([stack]) if adopt else ()
    stacks.remove(name, stack)
    _gone(stacks, name, stack, pause)
    return Rehearsed(name, any(one.status.startswith("ADOPT_") for one in begun))


def _gone(stacks: Orchestration, name: str, stack: str, pause: Callable[[float], None]) -> None:
    left: tuple[Stack, ...] = ()
    for _ in range(_LOOKS):
        left = stacks.get([stack])
        if not left or left[0].has_failed:
            break
        pause(_PAUSE)
    if left:
        told = f"stack {name} was not deleted: {left[0].status} {left[0].reason}"
        raise Terminal(f"{told} (see whether Heat's engine works, then delete it by hand)")
