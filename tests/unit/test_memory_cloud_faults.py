"""The fault plan: each effect does what it says, and nothing else."""

from collections.abc import Callable

import msgspec
import pytest

from handlers.clouds.memory.faults import (
    Call,
    Delay,
    Down,
    Effect,
    FaultPlan,
    FaultRule,
    Late,
    Lose,
    Refuse,
    Reset,
)
from handlers.errors import Ambiguous, Fault, Reason, Retryable, Terminal
from handlers.orders import NewStack
from handlers.resources import Kind, Service
from tests.support.small_cloud import OTHER, SUBJECT, SmallCloud


def failing(effect: Effect, verb: str = "create_port") -> SmallCloud:
    return SmallCloud([FaultRule(verb=verb, times=1, effect=effect)])


def ports(small: SmallCloud) -> int:
    return len(small.state.inventory().get(SUBJECT, {}).get(Kind.PORT, ()))


@pytest.mark.parametrize(
    ("effect", "fault", "reason"),
    [
        (Refuse(status=400), Terminal, Reason.REFUSED),
        (Refuse(status=404), Terminal, Reason.NOT_FOUND),
        (Refuse(status=409), Retryable, Reason.REFUSED),
        (Refuse(status=429), Retryable, Reason.UNAVAILABLE),
        (Refuse(status=401), Retryable, Reason.CREDENTIALS),
        (Refuse(status=500), Ambiguous, Reason.CLOUD_ERROR),
        (Refuse(status=503), Ambiguous, Reason.UNAVAILABLE),
        (Refuse(quota=True), Terminal, Reason.QUOTA),
        (Reset(), Ambiguous, Reason.UNAVAILABLE),
        (Down(), Retryable, Reason.UNAVAILABLE),
    ],
)
def test_refused_or_cut_call_has_no_effect(
    effect: Effect, fault: type[Fault], reason: Reason
) -> None:
    small = failing(effect)
    with pytest.raises(fault) as caught:
        small.port()
    assert type(caught.value) is fault
    assert caught.value.reason is reason
    assert ports(small) == 0
    small.port()
    assert ports(small) == 1


@pytest.mark.parametrize("service", list(Service))
def test_quota_is_refused_the_way_each_service_says_it(service: Service) -> None:
    verbs = {
        Service.COMPUTE: "create_server",
        Service.BLOCK_STORAGE: "create_volume",
        Service.NETWORK: "create_port",
        Service.ORCHESTRATION: "create_stack",
    }
    small = failing(Refuse(quota=True), verbs[service])
    stack = NewStack(
        subject=SUBJECT, template={}, environment={}, parameters={}, write="1", minutes=1
    )
    calls: dict[Service, Callable[[], object]] = {
        Service.COMPUTE: small.server,
        Service.BLOCK_STORAGE: small.volume,
        Service.NETWORK: small.port,
        Service.ORCHESTRATION: lambda: small.cloud.create_stack(stack),
    }
    with pytest.raises(Terminal) as caught:
        calls[service]()
    assert caught.value.reason is Reason.QUOTA


@pytest.mark.parametrize("status", [None, 502, 504])
def test_lost_answer_hides_an_effect(status: int | None) -> None:
    small = failing(Lose(status))
    with pytest.raises(Ambiguous):
        small.port()
    assert ports(small) == 1


def test_late_call_lands_later_and_nobody_hears_of_it() -> None:
    small = failing(Late(5))
    with pytest.raises(Ambiguous):
        small.port()
    small.wait(4.9)
    assert ports(small) == 0
    small.wait(0.1)
    assert ports(small) == 1


def test_late_call_that_is_refused_when_it_lands_does_nothing() -> None:
    small = failing(Late(5), "delete_security_group")
    group = small.group()
    with pytest.raises(Ambiguous):
        small.cloud.delete_security_group(group)
    small.port(SUBJECT, group)
    small.wait(5)
    assert small.has(Kind.SECURITY_GROUP, group)


def test_delayed_call_goes_well_after_its_time() -> None:
    small = failing(Delay(3))
    before = small.time
    small.port()
    assert small.time - before == 3_000_000
    assert ports(small) == 1


@pytest.mark.parametrize("effect", [Refuse(status=500), Reset(), Lose(), Late(1), Down()])
def test_look_up_that_fails_can_be_repeated(effect: Effect) -> None:
    small = failing(effect, "find_port")
    port = small.port()
    with pytest.raises(Retryable):
        small.cloud.find(Kind.PORT, [SUBJECT])
    assert [one.id for one in small.cloud.find(Kind.PORT, [SUBJECT])] == [port]


def test_request_id_of_a_refusal_is_told() -> None:
    small = failing(Refuse(status=400))
    with pytest.raises(Terminal) as caught:
        small.port()
    assert (caught.value.request_id or "").startswith("req-")


# -- which calls are hit --------------------------------------------------------------------------

CALL = Call(Service.NETWORK, "create_port", SUBJECT, "port/user-0")


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        (FaultRule(effect=Reset()), True),
        (FaultRule(effect=Reset(), verb="create_*"), True),
        (FaultRule(effect=Reset(), verb="delete_*"), False),
        (FaultRule(effect=Reset(), service="network"), True),
        (FaultRule(effect=Reset(), service="compute"), False),
        (FaultRule(effect=Reset(), subject=SUBJECT), True),
        (FaultRule(effect=Reset(), subject=OTHER), False),
        (FaultRule(effect=Reset(), role="port/user-0"), True),
        (FaultRule(effect=Reset(), role="port/user-1"), False),
    ],
)
def test_rule_hits_the_calls_that_it_names(rule: FaultRule, hit: bool) -> None:
    assert (FaultPlan([rule]).draw(CALL) is not None) is hit


def test_nth_call_is_hit_and_no_other() -> None:
    plan = FaultPlan([FaultRule(effect=Reset(), nth=2)])
    assert [plan.draw(CALL) is not None for _ in range(4)] == [False, True, False, False]
    assert plan.hits == (1,)


def test_rule_strikes_no_more_than_its_times() -> None:
    plan = FaultPlan([FaultRule(effect=Reset(), times=2)])
    assert [plan.draw(CALL) is not None for _ in range(4)] == [True, True, False, False]


def test_probability_is_drawn_from_the_seed() -> None:
    def drawn(seed: int) -> list[bool]:
        plan = FaultPlan([FaultRule(effect=Reset(), probability=0.3)], seed)
        return [plan.draw(CALL) is not None for _ in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 30 < sum(drawn(1)) < 90


def test_first_rule_that_strikes_decides() -> None:
    rules = [FaultRule(effect=Reset(), times=1), FaultRule(effect=Delay(1))]
    plan = FaultPlan(rules)
    assert [plan.draw(CALL), plan.draw(CALL)] == [Reset(), Delay(1)]


def test_healed_plan_hits_nothing() -> None:
    small = failing(Reset())
    small.state.heal()
    small.port()


def test_rules_travel_as_json() -> None:
    rules = [
        FaultRule(effect=Late(2.5, 504), verb="create_*", probability=0.5),
        FaultRule(effect=Refuse(quota=True), service="compute", nth=3),
    ]
    encoded = msgspec.json.encode(rules)
    assert msgspec.json.decode(encoded, type=list[FaultRule]) == rules
