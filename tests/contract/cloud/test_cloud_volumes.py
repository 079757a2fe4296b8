"""Volumes."""

import pytest

from handlers.errors import Ambiguous, Reason, Retryable, Terminal
from handlers.orders import NewVolume
from handlers.resources import Kind, Volume
from tests.contract.cloud.bench import NOBODY, Bench, only


def test_new_volume_is_answered_with_its_identity(bench: Bench) -> None:
    subject = bench.subject()
    answer = bench.cloud.create_volume(NewVolume(subject=subject, role="data", size=2))
    volume = only(answer, Volume)
    assert (volume.subject, volume.role, volume.size) == (subject, "data", 2)
    assert (volume.status, volume.servers) == ("creating", ())
    assert volume.project == bench.cloud.project
    assert answer.request_id


def test_volume_is_found_at_once_by_identity_and_by_id(bench: Bench) -> None:
    subject = bench.subject()
    made = only(bench.cloud.create_volume(NewVolume(subject=subject, role="data", size=1)), Volume)
    (found,) = bench.cloud.find(Kind.VOLUME, [subject])
    assert (found.id, found.subject, found.role) == (made.id, subject, "data")
    assert bench.one(Kind.VOLUME, made.id) is not None


def test_every_volume_of_a_subject_is_found(bench: Bench) -> None:
    subject, other = bench.subject(), bench.subject()
    both = {bench.volume(subject).id, bench.volume(subject).id}
    more = bench.volume(other).id
    found = bench.cloud.find(Kind.VOLUME, [subject, other])
    assert {one.id for one in found if one.subject == subject} == both
    assert {one.id for one in found if one.subject == other} == {more}


def test_volume_that_became_available_is_listed_as_changed(bench: Bench) -> None:
    since = bench.place.now()
    volume = bench.volume(bench.subject())
    seen = bench.until(
        lambda: [
            one for one in bench.cloud.changed(Kind.VOLUME, since) or () if one.id == volume.id
        ]
    )
    assert seen[0].status == "available"


def test_extended_volume_grows_and_is_listed_as_changed(bench: Bench) -> None:
    volume = bench.volume(bench.subject())
    since = bench.place.now()
    assert bench.cloud.extend_volume(volume.id, 2).request_id
    assert bench.volume_in("available", volume.id).size == 2
    changed = bench.cloud.changed(Kind.VOLUME, since) or ()
    assert [one.size for one in changed if isinstance(one, Volume) and one.id == volume.id] == [2]


@pytest.mark.parametrize("size", [2, 1])
def test_extending_to_no_more_than_the_size_may_be_done_already(bench: Bench, size: int) -> None:
    volume = bench.volume(bench.subject(), size=2)
    with pytest.raises(Ambiguous) as caught:
        bench.cloud.extend_volume(volume.id, size)
    assert caught.value.request_id
    assert caught.value.service == "block_storage"


def test_extending_a_volume_that_is_not_there_is_refused(bench: Bench) -> None:
    with pytest.raises(Terminal) as caught:
        bench.cloud.extend_volume(NOBODY, 2)
    assert caught.value.reason is Reason.NOT_FOUND


def test_volume_of_an_unknown_type_is_refused(bench: Bench) -> None:
    new = NewVolume(subject=bench.subject(), role="data", size=1, type="nobody-has-this")
    with pytest.raises(Terminal) as caught:
        bench.cloud.create_volume(new)
    assert caught.value.reason is Reason.NOT_FOUND
    assert "nobody-has-this" in caught.value.message


def test_volume_in_an_unknown_zone_is_refused(bench: Bench) -> None:
    new = NewVolume(subject=bench.subject(), role="data", size=1, zone="nobody-has-this")
    with pytest.raises(Terminal) as caught:
        bench.cloud.create_volume(new)
    assert caught.value.reason is Reason.REFUSED


def test_status_of_a_volume_is_set_by_hand(bench: Bench) -> None:
    volume = bench.volume(bench.subject())
    bench.cloud.reset_volume(volume.id, "error_extending")
    bench.volume_in("error_extending", volume.id)
    bench.cloud.reset_volume(volume.id, "available")
    bench.volume_in("available", volume.id)


def test_deleted_volume_is_gone_and_can_be_deleted_again(bench: Bench) -> None:
    subject = bench.subject()
    volume = bench.volume(subject)
    assert bench.cloud.delete_volume(volume.id).request_id

    def repeated() -> bool:
        try:
            bench.cloud.delete_volume(volume.id)
        except Retryable:  # it is being deleted
            return False
        return bench.one(Kind.VOLUME, volume.id) is None

    assert bench.until(repeated)
    assert bench.cloud.find(Kind.VOLUME, [subject]) == ()
