"""Whole operations at the edges: what others did to the cloud, and what must not be touched."""

from handlers.clouds.memory.faults import FaultRule, Outcome, Refuse, Spoil
from handlers.commands import (
    CreateSecurityGroup,
    CreateSecurityGroupRules,
    DeleteSecurityGroup,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason
from handlers.operation import Phase
from handlers.orders import NewVolume, Rules
from handlers.parts import Access, NamedResources
from handlers.resources import Kind, PortRange, Rule, SecurityGroup, Volume
from tests.unit.test_operations import Bench

MYSQL = PortRange("tcp", 3306, 3306)
DNS = PortRange("udp", 53, 53)
OFFICE, HOME = "10.0.0.0/8", "192.168.0.0/16"


def made(bench: Bench) -> None:
    bench.world.send(bench.subject, bench.create())
    bench.world.run()


def test_the_deletion_of_a_group_does_not_take_an_instance_along() -> None:
    bench = Bench()
    made(bench)
    before = bench.state.inventory()
    command = bench.world.send(bench.subject, DeleteSecurityGroup(project="tenant"))

    bench.world.run()

    error = bench.world.event(command).data.error
    assert error is not None
    assert error.reason is Reason.INVALID
    assert bench.state.inventory() == before


def test_the_deletion_of_an_unknown_group_deletes_no_server() -> None:
    bench = Bench()
    bench.cloud.create_volume(NewVolume(subject=bench.subject, role="volume/data", size=1))
    bench.world.send(bench.subject, DeleteSecurityGroup(project="tenant"))

    bench.world.run()

    assert Kind.VOLUME in bench.state.inventory()[bench.subject]


def the_group(bench: Bench) -> SecurityGroup:
    (group,) = bench.cloud.find(Kind.SECURITY_GROUP, [bench.subject])
    assert isinstance(group, SecurityGroup)
    return group


def rules(bench: Bench) -> set[tuple[PortRange, str]]:
    return {(rule.ports, rule.cidr) for rule in the_group(bench).rules}


def own_group(bench: Bench) -> str:
    access = Access(ports=(MYSQL,), cidrs=(OFFICE,))
    bench.world.send(bench.subject, CreateSecurityGroup(project="tenant", name="g", access=access))
    bench.world.run()
    bench.world.clock.sleep(1)
    return the_group(bench).id


def test_a_failed_update_leaves_the_rules_that_were_made_by_hand() -> None:
    bench = Bench(FaultRule(verb="delete_rule", effect=Refuse(status=403), times=1))
    group = own_group(bench)
    bench.cloud.create_rules(Rules(group, (Rule(MYSQL, HOME), Rule(DNS, OFFICE))))
    before = rules(bench)
    update = UpdateSecurityGroupRules(project="tenant", cidrs=(HOME, "172.16.0.0/12"))
    command = bench.world.send(bench.subject, update)

    bench.world.run()

    assert bench.world.operation(command).phase is Phase.FAILED
    assert rules(bench) == before


def test_an_update_that_would_give_nobody_access_says_so() -> None:
    bench = Bench()
    own_group(bench)
    bench.world.send(bench.subject, UpdateSecurityGroupRules(project="tenant", cidrs=()))
    bench.world.run()
    bench.world.clock.sleep(1)
    command = bench.world.send(
        bench.subject, UpdateSecurityGroupRules(project="tenant", cidrs=(HOME,))
    )

    bench.world.run()

    error = bench.world.event(command).data.error
    assert error is not None
    assert error.reason is Reason.INVALID
    assert "ports" in error.message


def test_a_volume_that_somebody_elses_extension_left_in_error_is_extended() -> None:
    bench = Bench()
    made(bench)
    volume = bench.cloud.find(Kind.VOLUME, [bench.subject])[0].id
    bench.state.inject(FaultRule(verb="extend_volume", effect=Spoil(Outcome.ERROR), times=1))
    bench.cloud.extend_volume(volume, 3)
    bench.world.clock.sleep(30)
    command = bench.world.send(bench.subject, ResizeVolume(project="tenant", size=5))

    bench.world.run()

    assert bench.world.operation(command).phase is Phase.SUCCEEDED
    (there,) = bench.cloud.get(Kind.VOLUME, [volume])
    assert isinstance(there, Volume)
    assert there.size == 5


def test_a_later_command_may_name_what_the_first_one_did_not() -> None:
    bench = Bench()
    volume = bench.cloud.create_volume(NewVolume(subject=bench.subject, role="volume/data", size=1))
    group = bench.cloud.create_security_group(bench.subject, "security-group", "")
    bench.world.run(5, until=lambda: False)
    first = NamedResources(security_group=group.resources[0].id)
    access = Access(ports=(MYSQL,), cidrs=(OFFICE,))
    bench.world.send(
        bench.subject, CreateSecurityGroupRules(project="tenant", access=access, resources=first)
    )
    bench.world.run()
    second = NamedResources(volume=volume.resources[0].id)
    command = bench.world.send(
        bench.subject, ResizeVolume(project="tenant", size=5, resources=second)
    )

    bench.world.run()

    assert bench.world.operation(command).phase is Phase.SUCCEEDED
    record = bench.world.ledger.instance(bench.subject)
    assert record is not None
    assert sorted(record.resources) == ["security-group", "volume/data"]
    assert record.volume_size == 5
