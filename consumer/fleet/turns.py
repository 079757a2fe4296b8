"""Whose turn is when: the order, the canary and the batches, and how long it may take. Pure."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from consumer.fleet.plan import Entry
from consumer.ledger.fleet import Settings

#: Seconds that an instance is under way, for the estimate: adopting, checking and committing take
#: Heat about 5 (measured on Heat 27), the rest allows for look-ups and polls.
UNDER_WAY = 10.0

_ORDERS: dict[str, Callable[[Entry], tuple[Any, ...]]] = {
    "risk": lambda each: (len(each.risks), each.volume_size, each.instance),
    "project": lambda each: (each.project, len(each.risks), each.volume_size, each.instance),
    "id": lambda each: (each.instance,),
}


def ordered(entries: Iterable[Entry], order: str) -> list[Entry]:
    """By `risk`: those without any first, small volumes before bigger ones; or by `project` and
    risk, or by `id`."""
    return sorted(entries, key=_ORDERS[order])


def with_turns(entries: Sequence[Entry], settings: Settings) -> tuple[Entry, ...]:
    """Eligible entries, all of them, with batch and place, in the order of their turn."""
    canary = _canary(entries, settings.canary)
    chosen = {each.instance for each in canary}
    rest = [each for each in ordered(entries, settings.order) if each.instance not in chosen]
    turns = [(each, 0) for each in canary]
    turns += [(each, 1 + number // settings.batch) for number, each in enumerate(rest)]
    return tuple(
        replace(each, batch=batch, place=place) for place, (each, batch) in enumerate(turns)
    )


def _canary(entries: Sequence[Entry], size: int) -> list[Entry]:
    """The smallest risks: first one of each shape, then, if there is room, more of them."""
    by_risk = ordered(entries, "risk")
    seen: set[str] = set()
    first: list[Entry] = []
    more: list[Entry] = []
    for each in by_risk:
        (more if each.shape in seen else first).append(each)
        seen.add(each.shape)
    return [*first, *more][:size]


def batches(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries with turns, by batch; the canary is the first where there is one."""
    by_turn = sorted(entries, key=lambda each: each.place)
    return [list(some) for _, some in groupby(by_turn, key=lambda each: each.batch)]


def seconds(entries: Iterable[Entry], settings: Settings) -> float:
    """About how long a migration of these takes, if nothing goes wrong: the canary and the last
    batch soak, and each batch takes what rate, concurrency and the limit per project allow."""
    whole = batches(entries)
    if not whole:
        return 0.0
    soaks = 2 if whole[0][0].batch == 0 and len(whole) > 1 else 1
    return sum(_lasts(each, settings) for each in whole) + soaks * settings.soak


def _lasts(batch: Sequence[Entry], settings: Settings) -> float:
    by_project = Counter(each.project for each in batch)
    rounds = max(
        math.ceil(len(batch) / settings.concurrency),
        math.ceil(max(by_project.values()) / settings.per_project),
    )
    begun = (len(batch) - 1) / settings.rate * 60 + UNDER_WAY
    return max(begun, rounds * UNDER_WAY)
