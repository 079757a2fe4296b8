"""What a create costs, how soon its end is noticed, and what one that waits weighs."""

import statistics
import time
from typing import NamedTuple

from handlers.operation import Operation
from tests.benchmarks.stand import CREATE, Stand, Usage, stand

#: Seconds that a server builds.
BUILD = 10.0


class Creates(NamedTuple):
    """Figures of one run; CPU in milliseconds, latency in seconds, memory in bytes."""

    creates: int
    cpu: float
    mutating: float
    look_ups: float
    latency_median: float
    latency_max: float
    memory: float
    wall: float


def measure(count: int) -> Creates:
    """`count` creates at once, all in flight together."""
    with stand(f"{BUILD:g}") as bench:
        _warm_up(bench)
        requests, began, wall = bench.requests(), Usage.now(), time.monotonic()
        commands = bench.send(CREATE, count)
        weight = _weigh(bench, requests, count) - began.rss
        events = bench.hear(commands, seconds=120)
        used, wall = Usage.now(), time.monotonic() - wall
        failed = [event.data.error for event in events.values() if event.data.error]
        if failed:
            raise RuntimeError(f"{len(failed)} creates failed: {failed[0]}")
        after = bench.requests()
        sent = {key: n - requests.get(key, 0) for key, n in after.items()}
        mutating = sum(n for (_, method), n in sent.items() if method != "GET")
        late = [latency(bench.operation(each)) for each in commands]
    return Creates(
        creates=count,
        cpu=(used.cpu - began.cpu) / count * 1e3,
        mutating=mutating / count,
        look_ups=(sum(sent.values()) - mutating) / count,
        latency_median=statistics.median(late),
        latency_max=max(late),
        memory=weight / count,
        wall=wall,
    )


def latency(op: Operation) -> float:
    """Seconds from the moment at which the server was ready until the worker knew."""
    at = {entry.what: entry.at for entry in op.timeline if entry.step == "server"}
    return (at["done"] - at["acted"]) / 1e6 - BUILD


def _warm_up(bench: Stand) -> None:
    """Connections, compiled statements and caches are not what is measured."""
    bench.hear(bench.send(CREATE, 5), seconds=60)


def _weigh(bench: Stand, before: dict[tuple[str, str], int], count: int) -> int:
    """Resident memory when every server has been asked for and all operations wait."""
    key = ("compute", "POST")
    while bench.requests().get(key, 0) - before.get(key, 0) < count:
        time.sleep(0.2)
    return Usage.now().rss
