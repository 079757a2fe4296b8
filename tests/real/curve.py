"""Instances per manager over time, as SVG."""

import time
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from consumer.ledger.base import Ledger

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 260, 40, 44, 40
_COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#777777")


class Moment(msgspec.Struct, frozen=True):
    """How many instances each manager had, `at` seconds after the run began."""

    at: float
    managers: Mapping[str, int]


class Curve:
    """Looks into the ledger now and then. `marks` are the beginnings of parts of the run."""

    def __init__(self, ledger: Ledger, pause: float = 1.0) -> None:
        self._ledger = ledger
        self._pause = pause
        self._began = time.monotonic()
        self._next = 0.0
        self.moments: list[Moment] = []
        self.marks: list[tuple[float, str]] = []

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._began

    def mark(self, name: str) -> None:
        """A part of the run begins."""
        self.marks.append((self.seconds, name))

    def look(self) -> None:
        """Another point where something has changed; looks seldom enough to be called often."""
        if self.seconds < self._next:
            return
        self._next = self.seconds + self._pause
        managers: dict[str, int] = {}
        for (manager, state), number in self._ledger.backlog().instances.items():
            if state != "deleted":
                managers[manager] = managers.get(manager, 0) + number
        if not self.moments or self.moments[-1].managers != managers:
            self.moments.append(Moment(self.seconds, managers))


def svg(moments: Sequence[Moment], marks: Sequence[tuple[float, str]], across: float) -> str:
    """The picture, `across` seconds wide: a line of steps for each manager."""
    return "\n".join([*_lines(moments, marks, across), "</svg>\n"])


def _lines(
    moments: Sequence[Moment], marks: Sequence[tuple[float, str]], across: float
) -> Iterator[str]:
    total = max([1, *(number for each in moments for number in each.managers.values())])

    def x(at: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 12) * at / across

    def y(number: int) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * number / total

    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="11">'
    )
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    yield f'<path d="M{_LEFT} {_TOP}V{y(0):.0f}H{_WIDTH - 12}" fill="none" stroke="#888"/>'
    yield _text(_LEFT - 6, y(total) + 4, str(total), "end")
    yield _text(_LEFT - 6, y(0) + 4, "0", "end")
    yield _text(_WIDTH - 12, _HEIGHT - 2, f"{across:.0f} s", "end")
    for place, (at, name) in enumerate(marks):
        yield f'<path d="M{x(at):.1f} {_TOP}V{y(0):.0f}" stroke="#ddd"/>'
        yield _text(x(at) + 2, _HEIGHT - _BOTTOM + 12 + 11 * (place % 2), name, "start")
    names = sorted({name for each in moments for name in each.managers})
    for place, name in enumerate(names):
        colour = _COLOURS[place % len(_COLOURS)]
        steps = "".join(
            f"H{x(each.at):.1f}V{y(each.managers.get(name, 0)):.1f}" for each in moments
        )
        line = f'd="M{_LEFT} {y(0):.1f}{steps}H{x(across):.1f}" stroke="{colour}"'
        yield f'<path {line} fill="none" stroke-width="2"/>'
        yield _text(_LEFT + 10 + place * 150, 20, name, "start", colour)


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    place = f'x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{text}</text>'
