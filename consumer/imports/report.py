"""An outcome as documents that stay: JSON for programs, Markdown for people."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from consumer.imports.importing import Outcome
from consumer.imports.rows import Judgement

#: What the counts of a summary mean, in the order in which they are told.
MEANING = {
    "imported": "recorded now",
    "new": "match, and are not recorded",
    "known": "were recorded before",
    "elsewhere": "live in another region",
    "mismatch": "do not match, and are left out",
}


def document(outcome: Outcome, source: str, *, dry_run: bool) -> bytes:
    """The JSON report. `source` names where the rows come from, without any password."""
    told = {
        "source": source,
        "dry_run": dry_run,
        "cloud": outcome.place.cloud,
        "region": outcome.place.region,
        "project": outcome.project,
        "counts": outcome.counts,
        "instances": [_told(each) for each in outcome.judgements],
        "unlisted": outcome.unlisted,
        "no_heat": outcome.no_heat,
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def page(outcome: Outcome, source: str, *, dry_run: bool) -> str:
    """The Markdown report."""
    return "\n".join((*_head(outcome, source, dry_run=dry_run), *_tables(outcome))) + "\n"


def save(path: Path, outcome: Outcome, source: str, *, dry_run: bool) -> tuple[Path, Path]:
    """Write both beside each other, as <path>.json and <path>.md; returns their paths.

    An ending .json or .md of `path` is left out. Raises OSError.
    """
    stem = path.with_suffix("") if path.suffix in (".json", ".md") else path
    data, text = stem.with_name(f"{stem.name}.json"), stem.with_name(f"{stem.name}.md")
    data.write_bytes(document(outcome, source, dry_run=dry_run))
    text.write_text(page(outcome, source, dry_run=dry_run), encoding="utf-8")
    return data, text


def summary(outcome: Outcome) -> Iterator[str]:
    """One line per count that is not zero, one for what nobody lists, one for a Heat that did not
    tell."""
    for verdict, meaning in MEANING.items():
        if outcome.counts[verdict]:
            yield f"{outcome.counts[verdict]} {meaning}"
    if outcome.unlisted:
        yield f"{len(outcome.unlisted)} in the cloud are neither in the source nor recorded"
    if outcome.no_heat:
        yield f"stacks were not looked at: {outcome.no_heat}"


def _told(judgement: Judgement) -> dict[str, object]:
    return {
        "id": judgement.row.id,
        "verdict": str(judgement.verdict),
        "mismatches": [
            {"why": str(each.why), "text": each.text, "remedy": each.remedy}
            for each in judgement.mismatches
        ],
        "notes": judgement.notes,
    }


def _head(outcome: Outcome, source: str, *, dry_run: bool) -> Iterator[str]:
    place = outcome.place
    yield "# Import of instances"
    yield ""
    yield f"{source}, compared with cloud {place.cloud}/{place.region}, project {outcome.project}."
    if dry_run:
        yield "A dry run: nothing was written."
    yield ""
    yield from (f"* {line}" for line in summary(outcome))


def _tables(outcome: Outcome) -> Iterator[str]:
    wrong = [
        (subject, str(each.why), each.text, each.remedy) for subject, each in outcome.mismatches
    ]
    noted = [(each.row.id, note) for each in outcome.judgements for note in each.notes]
    yield from _table("What does not match", ("instance", "why", "what", "what to do"), wrong)
    yield from _table("Notes", ("instance", "note"), noted)
    unlisted = [(subject,) for subject in outcome.unlisted]
    yield from _table("In the cloud only", ("instance",), unlisted)


def _table(title: str, columns: tuple[str, ...], rows: Sequence[Iterable[str]]) -> Iterator[str]:
    if not rows:
        return
    yield from ("", f"## {title}", "")
    yield _line(columns)
    yield _line("---" for _ in columns)
    yield from map(_line, rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
