"""Commands that must not run, whoever the manager is."""

from handlers.commands import (
    Body,
    CreateSecurityGroup,
    CreateSecurityGroupRules,
    DeleteInstance,
    DeleteSecurityGroup,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.orders import ANYBODY, DELETE, instance, samples


def a_command_for_the_unknown_is_refused(bench: Bench) -> None:
    bodies = (
        ResizeInstance(project=TENANT, flavor=bench.site.large),
        ResizeVolume(project=TENANT, size=2),
        CreateSecurityGroupRules(project=TENANT, access=ANYBODY),
        UpdateSecurityGroupRules(project=TENANT, cidrs=("::/0",)),
    )
    for body in bodies:
        subject = bench.subject()
        done = bench.fail(subject, body, Reason.NOT_FOUND, "is not known")
        assert done.calls == 0
        assert not bench.is_recorded(subject)
    bench.nothing_is_left()


def another_tenants_command_is_refused(bench: Bench) -> None:
    subject, stranger = bench.subject(), "a-stranger"
    bench.succeed(subject, CreateSecurityGroup(project=TENANT, name="group", access=ANYBODY))
    before, record = bench.look(), bench.record(subject)
    bodies: tuple[Body, ...] = (
        DeleteInstance(project=stranger),
        DeleteSecurityGroup(project=stranger),
        ResizeInstance(project=stranger, flavor=bench.site.large),
        ResizeVolume(project=stranger, size=2),
        CreateSecurityGroupRules(project=stranger, access=ANYBODY),
        UpdateSecurityGroupRules(project=stranger, cidrs=("::/0",)),
    )
    for body in bodies:
        done = bench.fail(subject, body, Reason.NOT_OWNED, "another project")
        assert done.calls == 0
    assert bench.look() == before
    assert bench.record(subject) == record
    bench.succeed(subject, DeleteSecurityGroup(project=TENANT))
    bench.nothing_is_left()


def what_the_manager_cannot_do_ends_as_unsupported(bench: Bench) -> None:
    subject = bench.subject()
    bench.succeed(subject, instance(bench.site))
    before, record = bench.look(), bench.record(subject)
    bodies = samples(bench.site)
    for kind in sorted(bench.manager.unsupported, key=lambda body: body.TYPE):
        done = bench.fail(subject, bodies[kind], Reason.UNSUPPORTED, "cannot do")
        assert done.calls == 0
    assert bench.look() == before
    assert bench.record(subject) == record
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


SCENARIOS = (
    a_command_for_the_unknown_is_refused,
    another_tenants_command_is_refused,
    what_the_manager_cannot_do_ends_as_unsupported,
)
