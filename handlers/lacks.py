"""What a cloud may lack for a migration, and what would change that.

The names of the settings are those of Heat's and Keystone's own configuration reference.
"""

import msgspec


class Lacks(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a cloud does not let us do, and the setting or right that would."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


ADOPTION = Lacks(
    what="Heat does not adopt stacks",
    remedy="set `[DEFAULT] enable_stack_adopt = true` in heat.conf and restart heat-engine",
)
TWINS = Lacks(
    what="Heat loses the data of an adoption and makes a second set of everything",
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
