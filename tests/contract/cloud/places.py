"""The implementations that the suite holds to the contract: in memory, and over HTTP."""

import time

import msgspec

from handlers.base import Cloud
from handlers.clouds.memory import CloudState, MemoryCloud
from handlers.clouds.memory.faults import FaultRule, Outcome, Spoil
from handlers.clouds.memory.settings import Catalogue, Quotas
from handlers.operation import Micros
from tests.contract.cloud.bench import Site

#: Fails a resize on the hosts of the test cloud.
_BREAKS_RESIZE = {"cloudfake:fail": "resize"}


class Ticking:
    """A virtual clock."""

    def __init__(self) -> None:
        self.micros: Micros = 1_750_000_000_000_000

    def __call__(self) -> Micros:
        return self.micros


class MemoryPlace(msgspec.Struct, frozen=True):
    """The in-memory cloud in virtual time."""

    clock: Ticking
    cloud: Cloud
    guest: Cloud
    site: Site
    state: CloudState
    patience: int = 60

    def now(self) -> Micros:
        return self.clock()

    def pause(self) -> None:
        self.clock.micros += 200_000

    def breaks_resize(self) -> dict[str, str]:
        return break_resize(self.state)


def break_resize(state: CloudState) -> dict[str, str]:
    """Let the next resize fail on the host."""
    spoil = Spoil(Outcome.ERROR, "the host said no")
    state.inject(FaultRule(effect=spoil, verb="resize_server", times=1))
    return {}


def small_quotas() -> Quotas:
    """What a guest may have."""
    return Quotas(
        instances=0, volumes=1, gigabytes=1, ports=0, security_groups=1, security_group_rules=1
    )


def site_of(catalogue: Catalogue) -> Site:
    """What is there from the beginning."""
    return Site(
        image=catalogue.images[0].id,
        flavor=catalogue.flavors[0].id,
        other_flavor=catalogue.flavors[1].id,
        network=catalogue.networks[0].id,
        address="10.16.9.9",
    )


def memory() -> MemoryPlace:
    """A new in-memory cloud; `guest` has a small one of its own."""
    clock = Ticking()
    state, small = CloudState(now=clock), CloudState(now=clock, seed=1)
    small.set_quotas(small_quotas())
    guest = MemoryCloud(small, project="guest", admin=False)
    return MemoryPlace(clock, MemoryCloud(state), guest, site_of(state.catalogue), state)


class HttpPlace(msgspec.Struct, frozen=True):
    """Our adapter to an OpenStack that is called over HTTP, in real time; `beat` is the time in
    seconds between two looks."""

    cloud: Cloud
    guest: Cloud
    site: Site
    patience: int = 240
    beat: float = 0.1

    def now(self) -> Micros:
        return time.time_ns() // 1000

    def pause(self) -> None:
        time.sleep(self.beat)

    def breaks_resize(self) -> dict[str, str]:
        return dict(_BREAKS_RESIZE)
