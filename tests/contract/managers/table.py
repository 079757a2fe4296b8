"""The managers that the suite runs on."""

from collections.abc import Mapping

import msgspec

from handlers.commands import (
    AdoptInstance,
    Body,
    ConfirmResize,
    CreateInstance,
    CreateSecurityGroup,
    DeleteInstance,
    DeleteSecurityGroup,
    MigrateInstance,
    RebootInstance,
    RebuildInstance,
    ReleaseInstance,
    ResizeInstance,
    ResizeVolume,
    RevertResize,
    UpdateAccess,
)
from handlers.keys import SERVER, STACK
from tests.contract.managers.promises import (
    Promise,
    natives_have_no_stack,
    stacks_tell_the_truth,
)


class Manager(msgspec.Struct, frozen=True, kw_only=True):
    """A manager as the suite sees it.

    `name` is what a worker is configured with. `owner` is the manager that is recorded for what it
    creates, `claimant` the one that is recorded for instances that Trove made before us. `maker` is
    the key of the step that has servers made. `stacks` are how many Heat stacks each subject has.
    `unsupported` commands must end in an `unsupported` error; all others must work.
    """

    name: str
    owner: str
    claimant: str
    maker: str
    stacks: int = 0
    unsupported: frozenset[type[Body]] = frozenset()


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """What holds of every subject that a manager is recorded for, whoever made it.

    `promises` are kept after every command that ended well. `heat` is how many requests a command
    may make to Heat beside listings; none where it says nothing.
    """

    promises: tuple[Promise, ...]
    heat: Mapping[type[Body], int] = {}


_LATER: frozenset[type[Body]] = frozenset(
    {
        UpdateAccess,
        MigrateInstance,
        RebootInstance,
        RebuildInstance,
        ConfirmResize,
        RevertResize,
    }
)

#: The commands that hand an instance over, and how many requests each may make to Heat beside
#: listings: an adoption its POST, the members, a check, a preview, and to commit the template and
#: an update; a release the template and an update, the template once more, and the delete. Reading
#: a template takes two: the stack is looked up first, for Heat still tells of a deleted one.
MOVES: Mapping[type[Body], int] = {AdoptInstance: 7, ReleaseInstance: 6}

#: What moves are carried out by, whatever the default is.
MOVER = "migration"

MANAGERS: dict[str, Manager] = {
    manager.name: manager
    for manager in (
        Manager(
            name="natives",
            owner="natives",
            claimant="natives",
            maker=SERVER,
            unsupported=_LATER,
        ),
        Manager(
            name="orchestrator",
            owner="orchestrator",
            claimant="natives",
            maker=STACK,
            stacks=1,
            unsupported=_LATER,
        ),
        Manager(
            name=MOVER,
            owner="orchestrator",
            claimant="natives",
            maker=STACK,
            stacks=1,
            unsupported=_LATER,
        ),
    )
}

OWNERS: Mapping[str, Owner] = {
    "natives": Owner(promises=(natives_have_no_stack,)),
    "orchestrator": Owner(
        promises=(stacks_tell_the_truth,),
        heat={
            CreateInstance: 2,
            CreateSecurityGroup: 2,
            ResizeInstance: 1,
            ResizeVolume: 1,
            DeleteInstance: 2,
            DeleteSecurityGroup: 2,
        },
    ),
}
