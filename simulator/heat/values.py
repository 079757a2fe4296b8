"""Values in queries and bodies as Heat's API reads them."""

import re
from typing import Any

from simulator.heat.refusals import bad, careless

_INTEGER = re.compile(r"^-?\d+$")
_LONGEST_TAG = 80


def truth(name: str, value: Any) -> bool:
    """`true` or `false` in any case; Refusal 400 for anything else."""
    text = str(value).lower()
    if text not in ("true", "false"):
        raise bad(f'Unrecognized value "{value}" for "{name}", acceptable values are: true, false.')
    return text == "true"


def count(name: str, value: Any) -> int:
    """A whole number that is not negative; Refusal 400 for anything else."""
    if not _INTEGER.match(str(value)):
        raise bad(f"Only integer is acceptable by '{name}'.")
    if int(value) < 0:
        raise bad(
            f"Value '{value}' is invalid for '{name}' which only accepts non-negative integer."
        )
    return int(value)


def tags(value: Any) -> tuple[str, ...]:
    """Tags come as one text with commas between them; Refusal 400 for a list, or one too long."""
    if not isinstance(value, str):
        raise careless("AttributeError")
    found = tuple(value.split(","))
    for tag in found:
        if len(tag) > _LONGEST_TAG:
            raise bad(f'Invalid tag, "{tag}" is longer than {_LONGEST_TAG} characters')
    return found
