"""Moves that must not be, and what comes in between."""

from handlers.commands import CreateSecurityGroup, ResizeInstance, ResizeVolume
from handlers.errors import Reason
from handlers.instance import State
from handlers.keys import STACK
from handlers.migration import RETAIN
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.orders import ANYBODY, DELETE
from tests.contract.managers.scenarios.moves import (
    ADOPT,
    NATIVES,
    ORCHESTRATOR,
    RELEASE,
    an_instance,
    doomed_by_trove,
    moved,
)


def what_somebody_changed_behind_the_record_is_not_moved(bench: Bench) -> None:
    """A stack of untrue values would do harm with its next update. Once the record is true again,
    the instance moves."""
    subject, site, somebody = an_instance(bench, NATIVES), bench.site, bench.place.somebody
    server, volume = bench.look().server.id, bench.look().volume.id
    somebody.resizes_server(server, site.large)
    _refused_untouched(bench, subject, Reason.DRIFT, "flavor")
    bench.succeed(subject, ResizeInstance(project=TENANT, flavor=site.large))
    somebody.extends_volume(volume, 2)
    _refused_untouched(bench, subject, Reason.DRIFT, "GiB")
    bench.succeed(subject, ResizeVolume(project=TENANT, size=2))
    moved(bench, subject, ADOPT)
    bench.succeed(subject, ResizeInstance(project=TENANT, flavor=site.small))
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_server_that_is_gone_is_not_moved(bench: Bench) -> None:
    """Its ports and volume tell of it as well as it does itself."""
    subject = an_instance(bench, NATIVES)
    server = bench.look().server.id
    bench.place.somebody.deletes_server(server)
    before, record = bench.look(), bench.record(subject)
    done = bench.ended(bench.send(subject, ADOPT))
    error = done.event.data.error
    assert error is not None and error.reason in (Reason.NOT_FOUND, Reason.DRIFT)
    assert server in error.message
    assert (done.changes, bench.look(), bench.record(subject)) == (0, before, record)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def _refused_untouched(bench: Bench, subject: str, reason: Reason, text: str) -> None:
    before, record = bench.look(), bench.record(subject)
    assert bench.fail(subject, ADOPT, reason, text).changes == 0
    assert bench.look() == before
    assert bench.record(subject) == record


def what_is_pinned_stays_where_it_is(bench: Bench) -> None:
    subject = an_instance(bench, ORCHESTRATOR)
    for body in (RELEASE, ADOPT):
        bench.pin(subject, pinned=True)
        before, record = bench.look(), bench.record(subject)
        assert bench.fail(subject, body, Reason.REFUSED, "pinned").calls == 0
        assert (bench.look(), bench.record(subject)) == (before, record)
        bench.succeed(subject, ResizeVolume(project=TENANT, size=before.volume.size + 1))
        assert bench.record(subject).pinned, "other commands are carried out, and keep the pin"
        bench.pin(subject, pinned=False)
        moved(bench, subject, body)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_group_of_its_own_is_not_moved(bench: Bench) -> None:
    subject = bench.subject()
    bench.succeed(subject, CreateSecurityGroup(project=TENANT, name="group", access=ANYBODY))
    before, record = bench.look(), bench.record(subject)
    for body in (ADOPT, RELEASE):
        assert bench.fail(subject, body, Reason.INVALID, "only instances").calls == 0
    assert (bench.look(), bench.record(subject)) == (before, record)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_taken_stack_name_is_not_adopted_over(bench: Bench) -> None:
    subject, somebody = an_instance(bench, NATIVES), bench.place.somebody
    theirs = somebody.makes_stack(f"trove-{subject}")
    before, record = bench.look(), bench.record(subject)
    bench.fail(subject, ADOPT, Reason.EXISTS, theirs)
    assert (bench.look(), bench.record(subject)) == (before, record)
    somebody.deletes_stack(before.stack)
    moved(bench, subject, ADOPT)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_delete_overtakes_an_adoption_that_is_open(bench: Bench) -> None:
    subject = an_instance(bench, NATIVES)
    adopt = bench.send(subject, ADOPT)
    bench.wait_for_step(adopt, STACK)
    delete = bench.send(subject, DELETE)
    bench.ended_badly(adopt, Reason.SUPERSEDED, delete.id)
    bench.ended_well(delete)
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def a_delete_overtakes_a_release_that_is_open(bench: Bench) -> None:
    """Unless the stack was told to go already: then it is deleted as a native one."""
    subject = an_instance(bench, ORCHESTRATOR)
    release = bench.send(subject, RELEASE)
    bench.wait_for_step(release, RETAIN)
    delete = bench.send(subject, DELETE)
    error = bench.ended(release).event.data.error
    assert error is None or (error.reason is Reason.SUPERSEDED and delete.id in error.message)
    bench.ended_well(delete)
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def a_command_waits_for_an_adoption_that_is_open(bench: Bench) -> None:
    """That is the freeze: it goes to the stack afterwards."""
    subject = an_instance(bench, NATIVES)
    before = bench.look()
    adopt = bench.send(subject, ADOPT)
    bench.wait_for_step(adopt, STACK)
    resize = bench.send(subject, ResizeInstance(project=TENANT, flavor=bench.site.large))
    resized, adopted = bench.ended_well(resize), bench.ended(adopt)
    assert adopted.event.data.error is None
    assert adopted.operation.finished <= resized.operation.opened
    assert resized.event.data.manager == ORCHESTRATOR
    there = bench.look()
    assert (there.server.flavor, there.natives.ids) == (bench.site.large, before.ids)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def an_adoption_that_an_operator_ends_is_taken_back(bench: Bench) -> None:
    """As one that takes longer than its instance may be frozen; here one that Trove made."""
    subject = doomed_by_trove(bench)
    before, record = bench.look(), bench.record(subject)
    adopt = bench.send(subject, ADOPT)
    bench.wait_for_step(adopt, STACK)
    bench.stop(adopt)
    bench.ended_badly(adopt, Reason.OPERATOR)
    bench.promises_are_kept(subject)
    assert (bench.look(), bench.record(subject)) == (before, record)
    bench.succeed(subject, ADOPT)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


SCENARIOS = (
    what_somebody_changed_behind_the_record_is_not_moved,
    a_server_that_is_gone_is_not_moved,
    what_is_pinned_stays_where_it_is,
    a_group_of_its_own_is_not_moved,
    a_taken_stack_name_is_not_adopted_over,
    a_delete_overtakes_an_adoption_that_is_open,
    a_delete_overtakes_a_release_that_is_open,
    a_command_waits_for_an_adoption_that_is_open,
    an_adoption_that_an_operator_ends_is_taken_back,
)

BREADTH = frozenset(
    {
        what_is_pinned_stays_where_it_is,
        a_taken_stack_name_is_not_adopted_over,
        a_delete_overtakes_a_release_that_is_open,
    }
)
