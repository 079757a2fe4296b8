"""A report as Markdown, and its progress over time as SVG. Pure."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from consumer.fleet.progress import Freezes
from consumer.fleet.report import Report

#: Losses that the page lists; the JSON file has them all.
_LISTED = 200

_SVG = "http://www.w3.org/2000/svg"
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 760, 280, 56, 36, 34

_CURVES: tuple[tuple[str, str, Callable[[Report], Sequence[float]]], ...] = (
    ("moved", "#1f77b4", lambda report: report.moved),
    ("committed", "#2ca02c", lambda report: report.committed),
    ("failed or given back", "#d62728", lambda report: report.lost),
)


def markdown(report: Report, when: Callable[[int], str], plot: str = "") -> str:
    """The page; `when` writes a moment, `plot` is the file name of the picture."""
    settings = msgspec.to_builtins(report.settings)
    head = [
        ("direction", report.direction),
        ("status", report.status),
        ("reason", report.reason or "none"),
        ("cloud", f"{report.cloud} {report.region}".strip()),
        ("plan", report.fingerprint),
        ("started", when(report.created)),
        ("until", when(report.until)),
        ("duration", _seconds(report.duration)),
    ]
    parts = [
        f"# Migration {report.id}\n",
        _table(("what", "value"), head),
        "## Instances\n",
        _table(("stage", "instances"), report.stages.items()),
        _table(("manager", "instances in the ledger"), sorted(report.managers.items())),
        "## Freeze\n",
        "How long the other commands of an instance had to wait.\n",
        _table(("instances", "median", "95 %", "longest"), [_freeze(report.freeze)]),
        "## Batches\n",
        "Batch 0 is the canary; times count from the start.\n",
        _table(
            ("batch", "instances", "moved", "not moved", "began", "ended", "median", "longest"),
            _batches(report),
        ),
        *_losses(report),
        "## Settings\n",
        _table(("setting", "value"), settings.items()),
        f"## Progress\n\n![instances over time]({plot})\n" if plot else "",
    ]
    return "\n".join(part for part in parts if part)


def svg(report: Report) -> str:
    """Instances over time, as steps."""
    total = max(1, sum(report.stages.values()))
    across = max(report.duration, 1.0)

    def x(at: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 12) * min(max(at, 0.0), across) / across

    def y(count: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * count / total

    parts = [
        f'<svg xmlns="{_SVG}" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<path d="M{_LEFT} {_TOP}V{y(0):.0f}H{_WIDTH - 12}" fill="none" stroke="#888"/>',
        _text(_LEFT - 6, y(total) + 4, str(total), "end"),
        _text(_LEFT - 6, y(0) + 4, "0", "end"),
        _text(_WIDTH - 12, _HEIGHT - 14, _seconds(across), "end"),
        _text(_LEFT, _HEIGHT - 14, "0 s", "start"),
    ]
    for place, (name, colour, moments) in enumerate(_CURVES):
        steps = "".join(f"H{x(at):.1f}V{y(n):.1f}" for n, at in enumerate(moments(report), 1))
        path = f"M{_LEFT} {y(0):.1f}{steps}H{x(across):.1f}"
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(_LEFT + 10 + place * 150, 18, name, "start", colour))
    return "\n".join([*parts, "</svg>\n"])


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    place = f'x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="12" fill="{colour}">{text}</text>'


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join([*lines, ""])


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _freeze(found: Freezes) -> tuple[object, ...]:
    return (found.count, *(_seconds(each) for each in (found.median, found.p95, found.most)))


def _batches(report: Report) -> list[tuple[object, ...]]:
    return [
        (
            batch.number,
            batch.instances,
            batch.moved,
            batch.lost,
            _seconds(batch.began),
            _seconds(batch.ended),
            _seconds(batch.freeze.median),
            _seconds(batch.freeze.most),
        )
        for batch in report.batches
    ]


def _losses(report: Report) -> list[str]:
    failures = _table(("reason", "instances"), report.failures.items())
    parts = ["## Failures\n", failures if report.failures else "None.\n"]
    if not report.losses:
        return parts
    rows = [
        (each.instance, each.project, each.stage, each.reason, each.message, each.remedy)
        for each in report.losses[:_LISTED]
    ]
    more = len(report.losses) - len(rows)
    return [
        *parts,
        "## Not moved\n",
        _table(("instance", "project", "stage", "reason", "message", "what to do"), rows),
        f"And {more} more: see the JSON file.\n" if more else "",
    ]
