"""Ports, groups and rules of the in-memory cloud, as measured on Neutron 29."""

from collections.abc import Callable

import pytest

from handlers.clouds.memory import Quotas
from handlers.errors import Ambiguous, Fault, Reason, Retryable, Terminal
from handlers.orders import NewPort, Rules
from handlers.resources import Kind, PortRange, Rule
from tests.support.small_cloud import MYSQL, OFFICE, OTHER, SUBJECT, SmallCloud

HOME = Rule(MYSQL, "192.168.0.0/16")


@pytest.fixture
def small() -> SmallCloud:
    return SmallCloud()


def test_port_has_an_address_of_its_own_and_carries_its_identity(small: SmallCloud) -> None:
    group = small.group()
    one, two = small.see_port(small.port(SUBJECT, group)), small.see_port(small.port(OTHER))
    assert (one.subject, one.role, one.groups) == (SUBJECT, "port/user-0", (group,))
    assert one.addresses != two.addresses


def test_port_that_names_no_group_gets_the_projects_default_group(small: SmallCloud) -> None:
    one, two = small.see_port(small.port()), small.see_port(small.port(OTHER))
    assert one.groups == two.groups != ()
    small.cloud.delete_port(one.id)
    small.cloud.delete_port(two.id)
    assert small.state.inventory() == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": "nope"}, Reason.NOT_FOUND),
        ({"subnet": "nope"}, Reason.NOT_FOUND),
        ({"groups": ("nope",)}, Reason.NOT_FOUND),
        ({"ip_address": "1.2.3.4"}, Reason.REFUSED),
    ],
)
def test_port_of_unknown_things_is_refused(
    small: SmallCloud, changes: dict[str, str], reason: Reason
) -> None:
    whole = {"subject": SUBJECT, "role": "port/user-0", "network": small.network, **changes}
    with pytest.raises(Terminal) as caught:
        small.cloud.create_port(NewPort(**whole))  # type: ignore[arg-type]
    assert caught.value.reason is reason


def test_address_is_given_out_once(small: SmallCloud) -> None:
    new = NewPort(
        subject=SUBJECT, role="port/user-0", network=small.network, ip_address="10.16.9.9"
    )
    small.cloud.create_port(new)
    with pytest.raises(Terminal, match="already allocated"):
        small.cloud.create_port(new)


def test_group_in_use_by_a_port_is_refused_until_the_port_is_gone(small: SmallCloud) -> None:
    group = small.group()
    port = small.port(SUBJECT, group)
    with pytest.raises(Retryable, match="in use"):
        small.cloud.delete_security_group(group)
    small.cloud.delete_port(port)
    small.cloud.delete_security_group(group)
    assert not small.has(Kind.SECURITY_GROUP, group)


def test_rules_are_made_all_or_none(small: SmallCloud) -> None:
    group = small.group()
    small.rules(group, OFFICE)
    with pytest.raises(Ambiguous, match="already exists"):
        small.rules(group, HOME, OFFICE)
    with pytest.raises(Fault, match="Duplicate"):
        small.rules(group, HOME, HOME)
    with pytest.raises(Terminal, match="Invalid CIDR"):
        small.rules(group, HOME, Rule(MYSQL, "10.0.0.0/99"))
    assert [rule.wanted for rule in small.see_group(group).rules] == [OFFICE]


def test_rule_is_removed_by_its_id_and_removing_it_again_is_a_success(small: SmallCloud) -> None:
    group = small.group()
    small.rules(group, OFFICE, HOME)
    office = next(rule for rule in small.see_group(group).rules if rule.wanted == OFFICE)
    for _ in range(2):
        small.cloud.delete_rule(office.id)
    assert [rule.wanted for rule in small.see_group(group).rules] == [HOME]


def test_rules_of_an_unknown_group_are_refused(small: SmallCloud) -> None:
    with pytest.raises(Terminal) as caught:
        small.cloud.create_rules(Rules("nope", (OFFICE,)))
    assert caught.value.reason is Reason.NOT_FOUND


def test_two_groups_of_one_name_are_allowed_and_both_found(small: SmallCloud) -> None:
    groups = {small.group(), small.group()}
    assert {one.id for one in small.cloud.find(Kind.SECURITY_GROUP, [SUBJECT])} == groups


# -- quotas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["ports", "security_groups", "security_group_rules"])
def test_over_quota_is_terminal_and_says_so(small: SmallCloud, what: str) -> None:
    group = small.group()
    small.state.set_quotas(Quotas(ports=0, security_groups=1, security_group_rules=0))
    calls: dict[str, Callable[[], object]] = {
        "ports": small.port,
        "security_groups": small.group,
        "security_group_rules": lambda: small.cloud.create_rules(Rules(group, (OFFICE,))),
    }
    with pytest.raises(Terminal) as caught:
        calls[what]()
    assert caught.value.reason is Reason.QUOTA


@pytest.mark.parametrize("quotas", [Quotas(volumes=0), Quotas(gigabytes=0)])
def test_volumes_over_quota_are_terminal(small: SmallCloud, quotas: Quotas) -> None:
    small.state.set_quotas(quotas)
    with pytest.raises(Terminal) as caught:
        small.volume()
    assert caught.value.reason is Reason.QUOTA


def test_servers_over_quota_are_terminal_and_quotas_may_be_a_projects_own(
    small: SmallCloud,
) -> None:
    small.state.set_quotas(Quotas(instances=0), project="somebody else")
    small.active()
    small.state.set_quotas(Quotas(instances=1), project=small.cloud.project)
    with pytest.raises(Terminal, match="already used 1 of 1 instances"):
        small.server()


def test_growing_over_quota_is_terminal(small: SmallCloud) -> None:
    volume = small.volume()
    small.state.set_quotas(Quotas(gigabytes=2))
    with pytest.raises(Terminal) as caught:
        small.cloud.extend_volume(volume, 3)
    assert caught.value.reason is Reason.QUOTA
    small.cloud.extend_volume(volume, 2)


# -- audit ----------------------------------------------------------------------------------------


def test_journal_says_who_was_made_by_which_call(small: SmallCloud) -> None:
    small.group()
    small.port()
    made = [(one.kind, one.verb, one.subject, one.role) for one in small.state.audit.made]
    assert made == [
        (Kind.SECURITY_GROUP, "create_security_group", SUBJECT, "security-group"),
        (Kind.PORT, "create_port", SUBJECT, "port/user-0"),
    ]


def test_inventory_groups_what_exists_by_subject(small: SmallCloud) -> None:
    one, two, other = small.port(), small.port(), small.port(OTHER)
    assert small.state.inventory() == {
        SUBJECT: {Kind.PORT: (one, two)},
        OTHER: {Kind.PORT: (other,)},
    }


def test_access_that_was_lost_for_a_while_is_a_downtime(small: SmallCloud) -> None:
    group = small.group()
    small.rules(group, OFFICE)
    small.cloud.delete_rule(small.see_group(group).rules[0].id)
    assert not small.state.audit.downtimes()
    small.wait(5)
    small.rules(group, HOME)
    (gap,) = small.state.audit.downtimes()
    assert (gap.ports, gap.cidr, gap.subject) == (MYSQL, "", SUBJECT)
    assert gap.until is not None
    assert gap.until - gap.since == 5_000_000


def test_rule_that_is_taken_away_and_given_back_is_a_downtime_of_its_cidr(
    small: SmallCloud,
) -> None:
    group = small.group()
    small.rules(group, OFFICE, HOME)
    small.cloud.delete_rule(small.see_group(group).rules[0].id)
    small.rules(group, OFFICE)
    assert [gap.cidr for gap in small.state.audit.downtimes()] == [OFFICE.cidr]


def test_adding_before_removing_leaves_no_downtime(small: SmallCloud) -> None:
    group = small.group()
    small.rules(group, OFFICE, Rule(PortRange("tcp", 22, 22), "10.0.0.0/8"))
    small.rules(group, HOME)
    for rule in small.see_group(group).rules:
        if rule.wanted == OFFICE:
            small.cloud.delete_rule(rule.id)
    assert not small.state.audit.downtimes()
