"""Creates that fail: the reason is the cloud's own, and nothing is left."""

from handlers.commands import DeleteInstance
from handlers.errors import Reason
from handlers.instance import State
from handlers.parts import DataVolume, Network
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.orders import DELETE, instance

NOBODY = "6f0c1f7e-0000-4000-8000-000000000000"


def a_server_that_goes_to_error_is_undone(bench: Bench) -> None:
    subject = bench.subject()
    body, text = bench.place.faults.spawn(instance(bench.site))
    done = bench.fail(subject, body, Reason.CLOUD_ERROR, text)
    assert done.event.data.error is not None and done.event.data.error.retryable
    assert not bench.is_recorded(subject)
    bench.nothing_is_left()
    bench.place.faults.heal()
    bench.succeed(subject, DELETE)
    assert bench.record(subject).state is State.DELETED


def a_volume_that_goes_to_error_is_undone(bench: Bench) -> None:
    subject = bench.subject()
    body = bench.place.faults.volume(instance(bench.site))
    bench.fail(subject, body, Reason.CLOUD_ERROR, "volume")
    assert not bench.is_recorded(subject)
    bench.nothing_is_left()
    bench.place.faults.heal()


def what_the_cloud_does_not_know_is_refused_in_its_words(bench: Bench) -> None:
    site = bench.site
    cases = {
        "no-such-flavor": instance(site, flavor="no-such-flavor"),
        "image": instance(site, image=NOBODY),
        NOBODY: instance(site, networks=(Network(network=NOBODY),)),
        "no-such-type": instance(site, volume=DataVolume(size=1, type="no-such-type")),
        "zone": instance(site, zone="no-such-zone"),
    }
    commands = {text: bench.send(bench.subject(), body) for text, body in cases.items()}
    for text, command in commands.items():
        done = bench.ended(command)
        error = done.event.data.error
        assert error is not None, f"{text}: ended well"
        assert error.reason in (Reason.REFUSED, Reason.NOT_FOUND, Reason.INVALID), error
        assert text in error.message, f"{text!r} is not in {error.message!r}"
        assert error.request_id, "the cloud's request id helps its operator"
        assert done.event.data.left_behind == ()
        assert not bench.is_recorded(command.subject)
    bench.nothing_is_left()


def over_quota_ends_clearly_and_leaves_nothing(bench: Bench) -> None:
    for kind in bench.place.faults.quotas:
        bench.place.faults.quota(kind)
        try:
            done = bench.fail(bench.subject(), instance(bench.site), Reason.QUOTA, "quota")
        finally:
            bench.place.faults.lift()
        assert done.event.data.error is not None and done.event.data.error.retryable
        bench.nothing_is_left()


def a_delete_overtakes_a_create_that_is_open(bench: Bench) -> None:
    subject = bench.subject()
    create = bench.send(subject, instance(bench.site))
    bench.wait_for_step(create, bench.manager.maker)
    delete = bench.send(subject, DELETE)
    bench.ended_badly(create, Reason.SUPERSEDED, delete.id)
    bench.ended_well(delete)
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def a_strangers_delete_overtakes_nothing(bench: Bench) -> None:
    subject = bench.subject()
    create = bench.send(subject, instance(bench.site, volume=None))
    delete = bench.send(subject, DeleteInstance(project="a-stranger"))
    bench.ended_well(create)
    bench.ended_badly(delete, Reason.NOT_OWNED)
    assert bench.look().server.status == "ACTIVE"
    bench.succeed(subject, DeleteInstance(project=TENANT))
    bench.nothing_is_left()


SCENARIOS = (
    a_server_that_goes_to_error_is_undone,
    a_volume_that_goes_to_error_is_undone,
    what_the_cloud_does_not_know_is_refused_in_its_words,
    over_quota_ends_clearly_and_leaves_nothing,
    a_delete_overtakes_a_create_that_is_open,
    a_strangers_delete_overtakes_nothing,
)
