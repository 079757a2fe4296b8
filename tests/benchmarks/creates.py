"""What a create costs, how soon its end is noticed, and what one that waits weighs."""

import statistics
import time
from collections.abc import Mapping
from typing import NamedTuple

from handlers.keys import SERVER
from handlers.natives import NAME as NATIVES
from handlers.operation import Micros, Operation
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.resources import Service
from tests.benchmarks.stand import CREATE, Stand, Usage, stand

#: Seconds that a server builds: 10 in the mean, so that they end at all places between two ticks.
BUILD = "9-11"

#: Portions in which creates are sent, within four seconds.
SPREAD = 40


class Way(NamedTuple):
    """How a manager makes an instance: the step that ends when the server is ready, and the service
    that is asked last before it waits for that."""

    step: str
    service: Service


WAYS = {
    NATIVES: Way("server", Service.COMPUTE),
    ORCHESTRATOR: Way("stack", Service.ORCHESTRATION),
}


class Creates(NamedTuple):
    """Figures of one run; CPU in milliseconds, latency in seconds, memory in bytes."""

    manager: str
    creates: int
    cpu: float
    mutating: float
    look_ups: float
    latency_median: float
    latency_max: float
    memory: float
    wall: float


def measure(manager: str, count: int) -> Creates:
    """`count` creates at once, all in flight together."""
    way = WAYS[manager]
    with stand(BUILD, manager) as bench:
        _warm_up(bench)
        requests, began, wall = bench.requests(), Usage.now(), time.monotonic()
        commands = _send(bench, count)
        weight = _weigh(bench, way, requests, count) - began.rss
        events = bench.hear(commands, seconds=120)
        used, wall = Usage.now(), time.monotonic() - wall
        failed = [event.data.error for event in events.values() if event.data.error]
        if failed:
            raise RuntimeError(f"{len(failed)} creates failed: {failed[0]}")
        after = bench.requests()
        sent = {key: n - requests.get(key, 0) for key, n in after.items()}
        mutating = sum(n for (_, method), n in sent.items() if method != "GET")
        launched = bench.cloud.launched()
        late = [latency(bench.operation(each), way.step, launched) for each in commands]
    return Creates(
        manager=manager,
        creates=count,
        cpu=(used.cpu - began.cpu) / count * 1e3,
        mutating=mutating / count,
        look_ups=(sum(sent.values()) - mutating) / count,
        latency_median=statistics.median(late),
        latency_max=max(late),
        memory=weight / count,
        wall=wall,
    )


def latency(op: Operation, step: str, launched: Mapping[str, Micros]) -> float:
    """Seconds from the moment at which the server was ready until the worker knew, Heat's own time
    to notice in it."""
    done = max(entry.at for entry in op.timeline if (entry.step, entry.what) == (step, "done"))
    return (done - launched[op.known_ids[SERVER]]) / 1e6


def _send(bench: Stand, count: int) -> list[str]:
    """Not all in one instant, or all would be ready at the same place between two ticks."""
    commands: list[str] = []
    for _ in range(SPREAD):
        commands += bench.send(CREATE, count // SPREAD)
        time.sleep(4 / SPREAD)
    return commands


def _warm_up(bench: Stand) -> None:
    """Connections, compiled statements and caches are not what is measured."""
    bench.hear(bench.send(CREATE, 5), seconds=60)


def _weigh(bench: Stand, way: Way, before: dict[tuple[str, str], int], count: int) -> int:
    """Resident memory when every server has been asked for and all operations wait."""
    key = (str(way.service), "POST")
    while bench.requests().get(key, 0) - before.get(key, 0) < count:
        time.sleep(0.2)
    return Usage.now().rss
