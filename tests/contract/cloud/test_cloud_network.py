"""Security groups, rules and ports."""

import pytest

from handlers.errors import Ambiguous, Reason, Retryable, Terminal
from handlers.orders import NewPort, Rules
from handlers.resources import Kind, Port, SecurityGroup
from tests.contract.cloud.bench import MYSQL, NOBODY, Bench, only, rules


def _rules(bench: Bench, group: str) -> set[str]:
    found = bench.one(Kind.SECURITY_GROUP, group)
    assert isinstance(found, SecurityGroup)
    assert all(rule.ports == MYSQL and rule.id for rule in found.rules)
    return {rule.cidr for rule in found.rules}


def test_new_group_is_answered_with_its_identity(bench: Bench) -> None:
    subject = bench.subject()
    answer = bench.cloud.create_security_group(subject, "security-group", "for a test")
    group = only(answer, SecurityGroup)
    assert (group.subject, group.role) == (subject, "security-group")
    assert group.project == bench.cloud.project
    assert group.rules == ()
    assert answer.request_id


def test_group_is_found_by_identity_and_by_id(bench: Bench) -> None:
    subject = bench.subject()
    group = bench.group(subject)
    (found,) = bench.cloud.find(Kind.SECURITY_GROUP, [subject])
    assert (found.id, found.subject, found.role) == (group, subject, "security-group")
    assert bench.one(Kind.SECURITY_GROUP, group) == found


def test_every_group_of_a_subject_is_found(bench: Bench) -> None:
    subject = bench.subject()
    both = {bench.group(subject), bench.group(subject)}
    assert {one.id for one in bench.cloud.find(Kind.SECURITY_GROUP, [subject])} == both


def test_rules_for_ipv4_and_ipv6_are_made_and_seen(bench: Bench) -> None:
    cidrs = {"10.0.0.0/8", "192.0.2.7/32", "::/0", "2001:db8::/32"}
    assert _rules(bench, bench.group(bench.subject(), *cidrs)) == cidrs


def test_rule_is_seen_with_host_bits_cleared(bench: Bench) -> None:
    assert _rules(bench, bench.group(bench.subject(), "10.1.2.3/8")) == {"10.0.0.0/8"}


def test_rules_are_answered_with_a_request_id(bench: Bench) -> None:
    group = bench.group(bench.subject())
    assert bench.cloud.create_rules(Rules(group, rules("10.0.0.0/8"))).request_id


def test_rule_that_is_there_makes_the_whole_call_ambiguous_and_void(bench: Bench) -> None:
    group = bench.group(bench.subject(), "10.0.0.0/8")
    with pytest.raises(Ambiguous) as caught:
        bench.cloud.create_rules(Rules(group, rules("172.16.0.0/12", "10.0.0.0/8")))
    assert caught.value.request_id
    assert _rules(bench, group) == {"10.0.0.0/8"}


def test_rule_named_twice_is_refused_and_makes_nothing(bench: Bench) -> None:
    group = bench.group(bench.subject())
    with pytest.raises(Terminal):
        bench.cloud.create_rules(Rules(group, rules("10.0.0.0/8", "10.0.0.0/8")))
    assert _rules(bench, group) == set()


def test_rules_for_a_group_that_is_not_there_are_refused(bench: Bench) -> None:
    with pytest.raises(Terminal) as caught:
        bench.cloud.create_rules(Rules(NOBODY, rules("10.0.0.0/8")))
    assert caught.value.reason is Reason.NOT_FOUND
    assert caught.value.service == "network"


def test_one_rule_is_deleted_and_the_others_stay(bench: Bench) -> None:
    group = bench.group(bench.subject(), "10.0.0.0/8", "172.16.0.0/12")
    seen = bench.one(Kind.SECURITY_GROUP, group)
    assert isinstance(seen, SecurityGroup)
    gone = next(rule for rule in seen.rules if rule.cidr == "10.0.0.0/8")
    assert bench.cloud.delete_rule(gone.id).request_id
    assert _rules(bench, group) == {"172.16.0.0/12"}
    bench.cloud.delete_rule(gone.id)


def test_new_port_is_answered_with_its_identity(bench: Bench) -> None:
    subject = bench.subject()
    group = bench.group(subject)
    new = NewPort(subject=subject, role="user-0", network=bench.site.network, groups=(group,))
    answer = bench.cloud.create_port(new)
    port = only(answer, Port)
    assert (port.subject, port.role, port.groups) == (subject, "user-0", (group,))
    assert (port.status, port.device, len(port.addresses)) == ("DOWN", "", 1)
    assert port.project == bench.cloud.project
    assert answer.request_id


def test_ports_of_several_subjects_are_found_together(bench: Bench) -> None:
    one, other, third = bench.subject(), bench.subject(), bench.subject()
    ids = {bench.port(one): one, bench.port(one): one, bench.port(other): other}
    bench.port(third)
    found = bench.cloud.find(Kind.PORT, [one, other])
    assert {port.id: port.subject for port in found} == ids


def test_port_gets_the_address_that_was_asked_for(bench: Bench) -> None:
    subject = bench.subject()
    new = NewPort(
        subject=subject,
        role="user-0",
        network=bench.site.network,
        ip_address=bench.site.address,
    )
    assert only(bench.cloud.create_port(new), Port).addresses == (bench.site.address,)
    with pytest.raises(Terminal):
        bench.cloud.create_port(new)


@pytest.mark.parametrize("wrong", ["network", "group"])
def test_port_on_something_that_is_not_there_is_refused(bench: Bench, wrong: str) -> None:
    new = NewPort(
        subject=bench.subject(),
        role="user-0",
        network=NOBODY if wrong == "network" else bench.site.network,
        groups=(NOBODY,) if wrong == "group" else (),
    )
    with pytest.raises(Terminal) as caught:
        bench.cloud.create_port(new)
    assert caught.value.reason is Reason.NOT_FOUND


def test_group_that_a_port_uses_cannot_be_deleted_yet(bench: Bench) -> None:
    subject = bench.subject()
    group = bench.group(subject)
    new = NewPort(subject=subject, role="user-0", network=bench.site.network, groups=(group,))
    port = bench.cloud.create_port(new).resources[0].id
    with pytest.raises(Retryable) as caught:
        bench.cloud.delete_security_group(group)
    assert caught.value.request_id
    bench.cloud.delete_port(port)
    bench.cloud.delete_security_group(group)
    assert bench.one(Kind.PORT, port) is None
    assert bench.one(Kind.SECURITY_GROUP, group) is None
