"""What a cloud may lack for a migration: how it says so, and what would change that.

Texts are those of Heat 27 and Nova 34, measured; the names of the settings are those of Heat's and
Keystone's own configuration reference.
"""

from handlers.clouds.refusals import Effect
from handlers.clouds.row import Row
from handlers.errors import Reason, Terminal
from handlers.orders import Lacks

ADOPTION = Lacks(
    what="Heat does not adopt stacks",
    remedy="set `[DEFAULT] enable_stack_adopt = true` in heat.conf and restart heat-engine",
)
TWINS = Lacks(
    what="Heat loses the data of an adoption and would make a second set of everything",
    remedy=(
        "take `[DEFAULT] reauthentication_auth_method = trusts` out of heat.conf and restart "
        "heat-engine"
    ),
)
DOOMING = Lacks(
    what="Nova cannot change delete_on_termination of an attached volume",
    remedy="upgrade Nova to Ussuri or later: microversion 2.85",
)
ROOM = Lacks(
    what="the project has all the stacks that Heat allows it",
    remedy="raise `[DEFAULT] max_stacks_per_tenant` in heat.conf and restart heat-engine",
)


def told(lack: Lacks) -> str:
    """In one sentence."""
    return f"{lack.what}: {lack.remedy}"


ROWS: tuple[Row, ...] = (
    Row(
        why=told(ADOPTION),
        service="orchestration",
        statuses=frozenset({400}),
        effects=frozenset({Effect.MAKE}),
        text=r"\bNotSupported\b.*Stack Adopt",
        explains=True,
        fault=Terminal,
        reason=Reason.UNSUPPORTED,
    ),
    Row(
        why=told(DOOMING),
        service="compute",
        statuses=frozenset({406}),
        effects=frozenset({Effect.CHANGE}),
        text=r"Version 2\.85 is not supported",
        explains=True,
        fault=Terminal,
        reason=Reason.UNSUPPORTED,
    ),
)
