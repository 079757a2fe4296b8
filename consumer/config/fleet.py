"""Settings of a fleet that moves: which new instances become stacks, and where Trove keeps its own.

As in settings.py: types, units, bounds, defaults and help texts.
"""

from typing import Annotated

import msgspec

from consumer.config.metas import number, text
from handlers.secret import Secret


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """Which new instances the manager migration makes as stacks; natives makes all others."""

    new_instances_percent: Annotated[
        int,
        number(0, 100, "Percentage of the new instances that become stacks, chosen by their ids."),
    ] = 100
    flavors: Annotated[
        tuple[str, ...],
        text("Ids of the flavors whose new instances may become stacks; empty: all."),
    ] = ()
    projects: Annotated[
        tuple[str, ...],
        text("Ids of the projects whose new instances may become stacks; empty: all."),
    ] = ()


class Trove(msgspec.Struct, frozen=True, kw_only=True):
    """Trove's own database, which 'instances import' reads and nothing ever writes."""

    database: Annotated[
        Secret,
        text(
            "SQLAlchemy URL, as [database] connection in trove.conf; "
            "a user that may only SELECT is enough."
        ),
    ] = Secret("")
