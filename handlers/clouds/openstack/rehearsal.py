"""Does Heat make a stack with these credentials? An empty one is made and deleted again."""

from collections.abc import Callable
from secrets import token_hex

from handlers.clouds.openstack.orchestration import Orchestration
from handlers.errors import Ambiguous, Terminal

_EMPTY = {"heat_template_version": "2018-08-31"}
_LOOKS = 40
_PAUSE = 0.5


def rehearse(stacks: Orchestration, pause: Callable[[float], None]) -> str:
    """The name of the stack, which is gone again.

    Raises the fault of the call that failed, and Terminal for a stack that does not go away in 20
    seconds.
    """
    name = f"trove-resources-preflight-{token_hex(6)}"
    try:
        stack, _ = stacks.make(name, template=_EMPTY, environment={}, parameters={}, timeout_mins=1)
    except Ambiguous:
        for one in stacks.named([name]):
            stacks.remove(name, one.id)
        raise
    stacks.remove(name, stack)
    for _ in range(_LOOKS):
        left = stacks.get([stack])
        if not left or left[0].has_failed:
            break
        pause(_PAUSE)
    if left:
        told = f"stack {name} was not deleted: {left[0].status} {left[0].reason}"
        raise Terminal(f"{told} (see whether Heat's engine works, then delete it by hand)")
    return name
