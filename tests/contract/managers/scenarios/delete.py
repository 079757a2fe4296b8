"""Deleting an instance."""

from handlers.errors import Reason
from handlers.instance import State
from tests.contract.managers.bench import Bench
from tests.contract.managers.orders import DELETE, instance


def deleting_converges_on_nothing_and_leaves_the_neighbours_alone(bench: Bench) -> None:
    """What carries the identity goes, also what nobody recorded; what does not carry it stays."""
    subject, neighbour = bench.subject(), bench.subject()
    bench.succeed(subject, instance(bench.site))
    trove = bench.place.trove
    group = trove.security_group(subject, "10.0.0.0/8")
    trove.port(subject, group)
    trove.volume(subject, size=1)
    group = trove.security_group(neighbour, "10.0.0.0/8")
    theirs = {group, trove.port(neighbour, group), trove.volume(neighbour, size=1)}
    done = bench.succeed(subject, DELETE)
    assert bench.look().ids == theirs
    assert done.event.data.resources == {}
    record = bench.record(subject)
    assert (record.state, record.resources) == (State.DELETED, {})
    bench.succeed(neighbour, DELETE)
    bench.nothing_is_left()


def deleting_the_unknown_ends_well_and_leaves_a_tombstone(bench: Bench) -> None:
    subject = bench.subject()
    done = bench.succeed(subject, DELETE)
    assert done.changes == 0
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def deleting_twice_ends_well_twice(bench: Bench) -> None:
    subject = bench.subject()
    bench.succeed(subject, instance(bench.site))
    first, second = bench.send(subject, DELETE), bench.send(subject, DELETE)
    bench.ended_well(first)
    bench.ended_well(second)
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def a_delete_that_cannot_finish_says_what_is_left_and_can_be_repeated(bench: Bench) -> None:
    subject, faults = bench.subject(), bench.place.faults
    bench.succeed(subject, instance(bench.site))
    volume = bench.look().volume.id
    faults.delete(volume)
    failed = bench.fail_leaving(subject, DELETE, Reason.CLOUD_ERROR, [volume], volume)
    assert bench.look().ids == {volume}, "all else is gone"
    assert bench.record(subject).state is State.ERROR
    assert {ref.id for ref in bench.record(subject).resources.values()} >= {volume}
    assert failed.event.data.error is not None and failed.event.data.error.retryable
    faults.heal(volume)
    bench.succeed(subject, DELETE)
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


SCENARIOS = (
    a_delete_that_cannot_finish_says_what_is_left_and_can_be_repeated,
    deleting_converges_on_nothing_and_leaves_the_neighbours_alone,
    deleting_the_unknown_ends_well_and_leaves_a_tombstone,
    deleting_twice_ends_well_twice,
)
