"""Steps are tables: what is seen, what is to be done."""

from typing import Any

import pytest

from handlers.base import Next
from handlers.commands import Command, CreateInstance
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Ref, Scope
from handlers.keys import VOLUME
from handlers.operation import Operation
from handlers.parts import DataVolume, Network
from handlers.resources import (
    Absent,
    ById,
    ByIdentity,
    Kind,
    Port,
    PortRange,
    Present,
    Resource,
    Rule,
    SecurityGroup,
    Seen,
    Server,
    Volume,
)
from handlers.steps.audit import Audit
from handlers.steps.claim import Claim
from handlers.steps.remove import Remove
from handlers.steps.security_groups import AddRules, RemoveRules, product
from handlers.steps.servers import Confirm, Resize, Revert, ensure_server
from handlers.steps.volumes import Extend, ensure_volume

SUBJECT = "5f7ad9a6-0f3f-4d43-8d0b-111111111111"
SCOPE = Scope(cloud="cloud", region="region", project="tenant")
CREATE = CreateInstance(
    project="tenant", name="db", flavor="1", image="image", networks=(Network(network="net"),)
)
RECORD = Instance(
    id=SUBJECT,
    scope=SCOPE,
    manager="natives",
    resources={
        "server": Ref(kind=Kind.SERVER, id="s1", role="server"),
        VOLUME: Ref(kind=Kind.VOLUME, id="v1", role=VOLUME),
        "security-group": Ref(kind=Kind.SECURITY_GROUP, id="g1", role="security-group"),
    },
)


def operation(basis: Instance | None = RECORD, **changes: Any) -> Operation:
    command = Command(id="c1", subject=SUBJECT, source="test", body=CREATE)
    fields = {"command": command, "scope": SCOPE, "accepted": 1, "basis": basis, **changes}
    return Operation(**fields)


def seen(*matches: Resource) -> Seen:
    return Present(matches, 100)


def server(status: str = "ACTIVE", task: str | None = None, flavor: str = "1") -> Server:
    return Server(id="s1", status=status, task=task, flavor=flavor, subject=SUBJECT, role="server")


def volume(status: str = "in-use", size: int = 2) -> Volume:
    return Volume(id="v1", status=status, size=size, subject=SUBJECT, role=VOLUME)


ACCEPTED: dict[str, Any] = {"learned": {"resize": {"accepted": "2"}}}
EXTENDED = {"learned": {"extend": {"accepted": 4}}}
ASKED: dict[str, Any] = {"quiet": {"resize": 50}}


@pytest.mark.parametrize(
    ("facts", "look", "expected"),
    [
        ({}, server(), Next.ACT),
        ({}, server(task="rebooting"), Next.WAIT),
        ({}, server("BUILD"), Next.WAIT),
        ({}, server("SHUTOFF"), Next.ACT),
        ({}, server(flavor="2"), Next.DONE),
        (ASKED, server(), Next.ACT),
        (ACCEPTED, server(task="resize_prep"), Next.WAIT),
        (ACCEPTED, server("RESIZE", "resize_migrating"), Next.WAIT),
        (ACCEPTED, server("VERIFY_RESIZE", flavor="2"), Next.DONE),
        (ACCEPTED, server("ACTIVE", flavor="2"), Next.DONE),
        (ACCEPTED, server("ERROR"), Next.ACT),
        (ACCEPTED, server("ERROR", "resize_migrating"), Next.WAIT),
    ],
)
def test_resize_decides(facts: dict[str, Any], look: Server, expected: Next) -> None:
    assert Resize("2").check(operation(**facts), seen(look)) is expected


@pytest.mark.parametrize(
    ("facts", "look", "reason"),
    [
        ({}, server("ERROR"), Reason.CLOUD_ERROR),
        (ACCEPTED, server(), Reason.CLOUD_ERROR),
        ({}, server("VERIFY_RESIZE", flavor="3"), Reason.REFUSED),
    ],
)
def test_resize_ends_where_it_can_never_work(
    facts: dict[str, Any], look: Server, reason: Reason
) -> None:
    with pytest.raises(Terminal) as caught:
        Resize("2").check(operation(**facts), seen(look))

    assert caught.value.reason is reason


def test_a_failed_resize_tells_the_fault_that_nova_gave() -> None:
    op = operation(learned={"resize": {"accepted": "2", "fault": "no valid host"}})

    with pytest.raises(Terminal, match="no valid host"):
        Resize("2").check(op, seen(server()))


@pytest.mark.parametrize(
    ("accepted", "look", "expected"),
    [
        (False, server("VERIFY_RESIZE", flavor="2"), Next.ACT),
        (True, server("VERIFY_RESIZE", flavor="2"), Next.WAIT),
        (True, server(task="resize_confirming", flavor="2"), Next.WAIT),
        (True, server("ERROR", "resize_confirming", flavor="2"), Next.WAIT),
        (False, server(flavor="2"), Next.DONE),
    ],
)
def test_confirm_decides(accepted: bool, look: Server, expected: Next) -> None:
    op = operation(learned={"confirm": {"accepted": True}} if accepted else {})

    assert Confirm("2").check(op, seen(look)) is expected


def test_confirm_tells_when_somebody_reverted() -> None:
    with pytest.raises(Terminal, match="reverted"):
        Confirm("2").check(operation(), seen(server(flavor="1")))


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (server("VERIFY_RESIZE", flavor="2"), Next.ACT),
        (server("VERIFY_RESIZE", flavor="3"), Next.DONE),  # not ours
        (server("REVERT_RESIZE", "resize_reverting"), Next.WAIT),
        (server("RESIZE", "resize_migrating"), Next.WAIT),
        (server(), Next.DONE),
        (server("ERROR"), Next.ACT),
    ],
)
def test_revert_decides(look: Server, expected: Next) -> None:
    assert Revert("2").check(operation(**ACCEPTED), seen(look)) is expected


def test_nothing_is_asked_before_a_revert_of_a_resize_that_was_never_sent() -> None:
    assert Revert("2").wants(operation()) is None


@pytest.mark.parametrize(
    ("facts", "look", "expected"),
    [
        ({}, volume(), Next.ACT),
        ({}, volume("available"), Next.ACT),
        ({}, volume("attaching"), Next.WAIT),
        (EXTENDED, volume("extending"), Next.WAIT),
        (EXTENDED, volume(size=4), Next.DONE),
        ({}, volume(size=4), Next.DONE),
        (EXTENDED, volume("error_extending"), Next.ACT),
    ],
)
def test_extend_decides(facts: dict[str, Any], look: Volume, expected: Next) -> None:
    assert Extend(4, key="extend").check(operation(**facts), seen(look)) is expected


@pytest.mark.parametrize(
    ("facts", "look", "reason"),
    [
        ({}, volume(size=8), Reason.INVALID),
        (EXTENDED, volume(size=2), Reason.CLOUD_ERROR),
        ({}, volume("error"), Reason.CLOUD_ERROR),
    ],
)
def test_extend_ends_where_it_can_never_work(
    facts: dict[str, Any], look: Volume, reason: Reason
) -> None:
    with pytest.raises(Terminal) as caught:
        Extend(4, key="extend").check(operation(**facts), seen(look))

    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (Absent(100), Next.ACT),
        (seen(volume("creating")), Next.WAIT),
        (seen(volume("available")), Next.DONE),
        (seen(volume("available"), volume("available")), Next.ACT),
    ],
)
def test_ensure_makes_one_and_keeps_one(look: Seen, expected: Next) -> None:
    step = ensure_volume(SUBJECT, DataVolume(size=2))

    assert step.check(operation(None, quiet={VOLUME: 1}), look) is expected


def test_ensure_asks_nobody_before_its_first_call() -> None:
    assert ensure_volume(SUBJECT, DataVolume(size=2)).wants(operation(None)) is None


def test_ensure_looks_by_identity_while_a_call_may_have_landed() -> None:
    step = ensure_volume(SUBJECT, DataVolume(size=2))

    assert step.wants(operation(None, quiet={VOLUME: 9})) == ByIdentity(Kind.VOLUME, SUBJECT)


def test_ensure_looks_by_id_once_it_is_known() -> None:
    step = ensure_volume(SUBJECT, DataVolume(size=2))

    assert step.wants(operation(None, learned={VOLUME: {"id": "v1"}})) == ById(Kind.VOLUME, "v1")


def test_a_server_in_error_ends_the_create_with_its_fault() -> None:
    step = ensure_server(SUBJECT, CREATE, (), frozenset())
    broken = Server(id="s1", status="ERROR", fault="spawn failed", role="server")

    with pytest.raises(Terminal, match="spawn failed"):
        step.check(operation(None), seen(broken))


def test_a_resource_that_vanished_while_it_was_made_is_not_made_again() -> None:
    step = ensure_volume(SUBJECT, DataVolume(size=2))

    with pytest.raises(Terminal, match="vanished"):
        step.check(operation(None, learned={VOLUME: {"id": "v1"}}), Absent(100))


@pytest.mark.parametrize(
    ("kind", "look", "expected"),
    [
        (Kind.SERVER, Absent(1), Next.DONE),
        (Kind.SERVER, seen(server()), Next.ACT),
        (Kind.SERVER, seen(server(task="deleting")), Next.WAIT),
        (Kind.SERVER, seen(server("DELETED")), Next.WAIT),
        (Kind.VOLUME, seen(volume("in-use")), Next.WAIT),
        (Kind.VOLUME, seen(volume("available")), Next.ACT),
        (Kind.VOLUME, seen(volume("error_extending")), Next.ACT),
        (Kind.VOLUME, seen(volume("deleting")), Next.WAIT),
    ],
)
def test_remove_decides(kind: Kind, look: Seen, expected: Next) -> None:
    step = Remove("all", kind, SUBJECT, everything=True)

    assert step.check(operation(), look) is expected


def test_remove_of_one_role_leaves_the_others_alone() -> None:
    step = Remove("port/user-0", Kind.PORT, SUBJECT)
    other = Port(id="p2", subject=SUBJECT, role="port/user-1")

    assert step.check(operation(None, quiet={"port/user-0": 1}), seen(other)) is Next.DONE


def test_a_deletion_looks_for_recorded_ids_besides_the_identity() -> None:
    step = Remove("volumes", Kind.VOLUME, SUBJECT, everything=True)

    assert step.wants(operation()) == ByIdentity(Kind.VOLUME, SUBJECT, ("v1",))


def test_a_volume_that_cinder_cannot_delete_is_reported() -> None:
    step = Remove("volumes", Kind.VOLUME, SUBJECT, everything=True)

    with pytest.raises(Terminal, match="error_deleting"):
        step.check(operation(), seen(volume("error_deleting")))


def test_audit_costs_nothing_without_doubt() -> None:
    assert Audit(Kind.SERVER, SUBJECT).wants(operation(None)) is None


def test_audit_removes_what_is_not_the_known_one() -> None:
    op = operation(None, doubt=True, learned={"server": {"id": "s0"}})

    assert Audit(Kind.SERVER, SUBJECT).check(op, seen(server())) is Next.ACT


def test_audit_leaves_what_carries_no_role_of_ours() -> None:
    foreign = Server(id="s9", status="ACTIVE", subject=SUBJECT)
    op = operation(None, doubt=True, learned={"server": {"id": "s1"}})

    assert Audit(Kind.SERVER, SUBJECT).check(op, seen(server(), foreign)) is Next.DONE


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (None, Reason.NOT_FOUND),
        (Volume(id="v1", project="another", subject=SUBJECT), Reason.NOT_OWNED),
        (Volume(id="v1", project="tenant", subject="another"), Reason.NOT_OWNED),
        (Volume(id="v1", project="tenant"), Reason.NOT_OWNED),
    ],
)
def test_claim_refuses_what_is_not_the_subjects(resource: Volume | None, reason: Reason) -> None:
    step = Claim(VOLUME, Kind.VOLUME, "v1", SUBJECT)

    with pytest.raises(Terminal) as caught:
        step.check(operation(None, home="service"), seen(resource) if resource else Absent(1))

    assert caught.value.reason is reason


def test_claim_waits_until_it_is_known_where_resources_are_made() -> None:
    step = Claim(VOLUME, Kind.VOLUME, "v1", SUBJECT)
    resource = Volume(id="v1", project="service", subject=SUBJECT)

    assert step.check(operation(None), seen(resource)) is Next.WAIT


@pytest.mark.parametrize("project", ["tenant", "service"])
def test_claim_takes_what_carries_the_identity(project: str) -> None:
    step = Claim(VOLUME, Kind.VOLUME, "v1", SUBJECT)
    resource = Volume(id="v1", project=project, subject=SUBJECT)

    assert step.check(operation(None, home="service"), seen(resource)) is Next.DONE


def test_claim_takes_an_unnamed_port_that_is_plugged_into_the_claimed_server() -> None:
    step = Claim("port/named-0", Kind.PORT, "p1", SUBJECT)
    op = operation(None, learned={"server": {"id": "s1"}})

    assert step.check(op, seen(Port(id="p1", project="tenant", device="s1"))) is Next.DONE


MYSQL = PortRange("tcp", 3306, 3306)
OLD = Rule(ports=MYSQL, cidr="10.0.0.0/8", id="r1")
NEW = Rule(ports=MYSQL, cidr="192.0.2.0/24")


def group(*rules: Rule) -> SecurityGroup:
    return SecurityGroup(id="g1", rules=rules, subject=SUBJECT, role="security-group")


def test_rules_are_one_per_port_range_and_cidr_and_each_once() -> None:
    rules = product((MYSQL, PortRange("udp", 1, 2)), ("10.0.0.0/8", "fd00::/8", "10.0.0.0/8"))

    assert len(rules) == 4


@pytest.mark.parametrize(
    ("there", "expected"), [((OLD,), Next.ACT), ((OLD, NEW), Next.DONE), ((), Next.ACT)]
)
def test_rules_are_added_when_one_is_missing(there: tuple[Rule, ...], expected: Next) -> None:
    step = AddRules(wanted=lambda op, rules: (NEW,))

    assert step.check(operation(), seen(group(*there))) is expected


def test_rules_of_a_group_that_is_gone_cannot_be_added() -> None:
    with pytest.raises(Terminal, match="does not exist"):
        AddRules(wanted=lambda op, rules: (NEW,)).check(operation(), Absent(1))


def test_old_rules_go_one_by_one() -> None:
    step = RemoveRules(unwanted=lambda op, rules: rules, key="old-rules")

    assert step.check(operation(), seen(group(OLD))) is Next.ACT
    assert step.check(operation(), seen(group())) is Next.DONE
