"""Quotas and rights: what a cloud refuses to give at all."""

import pytest

from handlers.errors import Reason, Terminal
from handlers.orders import NewPort, NewVolume, Rules
from handlers.resources import Kind, SecurityGroup, Volume
from tests.contract.cloud.bench import Bench, only, rules


def _guest(bench: Bench) -> Bench:
    """The same bench with a guest's rights."""
    return Bench(bench.place, bench.place.guest)


def test_port_over_quota_is_refused_as_quota(bench: Bench) -> None:
    new = NewPort(
        subject=bench.subject(bench.place.guest), role="user-0", network=bench.site.network
    )
    with pytest.raises(Terminal) as caught:
        bench.place.guest.create_port(new)
    assert caught.value.reason is Reason.QUOTA
    assert "quota" in caught.value.message.lower()


def test_volume_over_quota_is_refused_as_quota(bench: Bench) -> None:
    guest = bench.place.guest
    new = NewVolume(subject=bench.subject(guest), role="data", size=1)
    volume = only(guest.create_volume(new), Volume)
    with pytest.raises(Terminal) as caught:
        guest.create_volume(new)
    assert caught.value.reason is Reason.QUOTA
    _guest(bench).volume_in("available", volume.id)
    with pytest.raises(Terminal) as caught:
        guest.extend_volume(volume.id, 2)
    assert caught.value.reason is Reason.QUOTA
    assert len(guest.find(Kind.VOLUME, [new.subject])) == 1


def test_groups_and_rules_over_quota_are_refused_as_quota(bench: Bench) -> None:
    guest = bench.place.guest
    subject = bench.subject(guest)
    group = only(guest.create_security_group(subject, "security-group", ""), SecurityGroup)
    with pytest.raises(Terminal) as caught:
        guest.create_security_group(subject, "security-group", "")
    assert caught.value.reason is Reason.QUOTA
    with pytest.raises(Terminal) as caught:
        guest.create_rules(Rules(group.id, rules("10.0.0.0/8", "172.16.0.0/12")))
    assert caught.value.reason is Reason.QUOTA
    (seen,) = guest.find(Kind.SECURITY_GROUP, [subject])
    assert isinstance(seen, SecurityGroup)
    assert seen.rules == ()


def test_status_set_by_hand_needs_an_administrator(bench: Bench) -> None:
    guest = bench.place.guest
    subject = bench.subject(guest)
    volume = _guest(bench).volume(subject)
    with pytest.raises(Terminal) as caught:
        guest.reset_volume(volume.id, "error")
    assert caught.value.reason in (Reason.REFUSED, Reason.CREDENTIALS)
    assert _guest(bench).volume_in("available", volume.id)


def test_nobody_finds_what_belongs_to_another_project(bench: Bench) -> None:
    subject = bench.subject()
    bench.group(subject)
    bench.port(subject)
    bench.volume(subject)
    for kind in Kind:
        assert bench.place.guest.find(kind, [subject]) == ()
