"""Security groups of their own, and an instance's."""

from handlers.commands import (
    CreateSecurityGroup,
    CreateSecurityGroupRules,
    DeleteSecurityGroup,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason
from handlers.instance import State
from handlers.parts import Access
from handlers.resources import PortRange
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.inventory import RuleKey
from tests.contract.managers.orders import DELETE, DNS, MYSQL, REPLICATION, instance

FIRST = ("172.16.0.0/12",)
OLD = ("10.0.0.0/8", "2001:db8::/32")
NEW = ("10.0.0.0/8", "192.168.0.0/16", "2001:db8:1::/48")


def keys(ports: tuple[PortRange, ...], cidrs: tuple[str, ...]) -> set[RuleKey]:
    """Port ranges × CIDRs."""
    return {(each.protocol, each.first, each.last, cidr) for each in ports for cidr in cidrs}


def a_group_of_its_own_lives_its_life(bench: Bench) -> None:
    subject = bench.subject()
    create = CreateSecurityGroup(
        project=TENANT, name="group", access=Access(ports=(MYSQL,), cidrs=OLD)
    )
    made = bench.succeed(subject, create)
    before = bench.look()
    group = before.group
    assert set(group.rules) == keys((MYSQL,), OLD)
    assert {ref.id for ref in made.event.data.resources.values()} == before.ids
    assert len(before.ids) == 1 + bench.manager.stacks
    bench.fail(subject, create, Reason.EXISTS, "exists already")

    more = Access(ports=(MYSQL, DNS), cidrs=OLD)
    bench.succeed(subject, CreateSecurityGroupRules(project=TENANT, access=more))
    bench.succeed(subject, CreateSecurityGroupRules(project=TENANT, access=more))
    assert set(bench.look().group.rules) == keys((MYSQL, DNS), OLD)

    only_dns = UpdateSecurityGroupRules(project=TENANT, cidrs=("0.0.0.0/0",), ports=(DNS,))
    bench.succeed(subject, only_dns)
    there = bench.look().group
    assert set(there.rules) == keys((MYSQL,), OLD) | keys((DNS,), ("0.0.0.0/0",))
    assert there.id == group.id
    assert {there.rules[key] for key in keys((MYSQL,), OLD)} == set(group.rules.values())

    bench.succeed(subject, UpdateSecurityGroupRules(project=TENANT, cidrs=()))
    assert bench.look().group.rules == {}
    bench.succeed(subject, DeleteSecurityGroup(project=TENANT))
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def an_instances_rules_change_without_a_moment_of_no_access(bench: Bench) -> None:
    subject = bench.subject()
    access = Access(ports=(MYSQL, REPLICATION), cidrs=FIRST)
    bench.succeed(subject, instance(bench.site, access=access, volume=None))
    with bench.place.watch(bench.look().group.id) as watch:
        bench.succeed(subject, UpdateSecurityGroupRules(project=TENANT, cidrs=OLD))
        assert watch.gaps() == (), "new rules come before old ones go"
    before = bench.look().group
    with bench.place.watch(before.id) as watch:
        bench.succeed(subject, UpdateSecurityGroupRules(project=TENANT, cidrs=NEW))
        assert watch.gaps() == (), "rules that stay are not touched"
    after = bench.look().group
    assert set(after.rules) == keys((MYSQL, REPLICATION), NEW)
    for key in keys((MYSQL, REPLICATION), ("10.0.0.0/8",)):
        assert after.rules[key] == before.rules[key], "a rule that stays is not touched"
    again = bench.succeed(subject, UpdateSecurityGroupRules(project=TENANT, cidrs=NEW))
    assert again.changes == 0
    opened = CreateSecurityGroupRules(project=TENANT, access=Access(ports=(DNS,), cidrs=NEW))
    bench.succeed(subject, opened)
    assert set(bench.look().group.rules) == keys((MYSQL, REPLICATION, DNS), NEW)
    recorded = {
        (rule.ports.protocol, rule.ports.first, rule.ports.last, rule.cidr)
        for rule in bench.record(subject).rules
    }
    assert recorded == keys((MYSQL, REPLICATION, DNS), NEW)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def rules_over_quota_leave_the_old_access(bench: Bench) -> None:
    subject = bench.subject()
    old = Access(ports=(MYSQL,), cidrs=OLD)
    bench.succeed(subject, CreateSecurityGroup(project=TENANT, name="group", access=old))
    before = bench.look()
    bench.place.faults.quota("rules")
    try:
        update = UpdateSecurityGroupRules(project=TENANT, cidrs=NEW)
        bench.fail(subject, update, Reason.QUOTA, "quota")
        more = CreateSecurityGroupRules(project=TENANT, access=Access(ports=(DNS,), cidrs=NEW))
        bench.fail(subject, more, Reason.QUOTA, "quota")
    finally:
        bench.place.faults.lift()
    assert bench.look() == before
    bench.succeed(subject, DeleteSecurityGroup(project=TENANT))
    bench.nothing_is_left()


SCENARIOS = (
    a_group_of_its_own_lives_its_life,
    an_instances_rules_change_without_a_moment_of_no_access,
    rules_over_quota_leave_the_old_access,
)
