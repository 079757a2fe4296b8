"""The managers that the suite runs on."""

import msgspec

from handlers.commands import (
    AdoptInstance,
    Body,
    ConfirmResize,
    MigrateInstance,
    RebootInstance,
    RebuildInstance,
    ReleaseInstance,
    RevertResize,
    UpdateAccess,
)


class Manager(msgspec.Struct, frozen=True, kw_only=True):
    """A manager as the suite sees it.

    `name` is what a worker is configured with. `owner` is the manager that is recorded for what it
    creates, `claimant` the one that is recorded for instances that Trove made before us.
    `unsupported` commands must end in an `unsupported` error; all others must work.
    """

    name: str
    owner: str
    claimant: str
    unsupported: frozenset[type[Body]] = frozenset()


MANAGERS: dict[str, Manager] = {
    manager.name: manager
    for manager in (
        Manager(
            name="natives",
            owner="natives",
            claimant="natives",
            unsupported=frozenset(
                {
                    UpdateAccess,
                    MigrateInstance,
                    RebootInstance,
                    RebuildInstance,
                    ConfirmResize,
                    RevertResize,
                    AdoptInstance,
                    ReleaseInstance,
                }
            ),
        ),
    )
}
