"""The documents speak of what exists."""

import re
from collections.abc import Iterator

from tests.house.tree import ROOT, Source, sources

LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
VERB = re.compile(r"`make ([a-z ]+?)`|^    make ([a-z ]+?)(?:  |$)", re.MULTILINE)
PATH = re.compile(r"`((?:consumer|handlers|simulator|tests|etc|dashboards|docs)/[\w./-]+)`")


def documents() -> list[Source]:
    return [source for source in sources() if source.path.endswith(".md")]


def verbs(text: str) -> set[str]:
    return {verb for found in VERB.findall(text) for verb in " ".join(found).split()}


def dead(source: Source) -> Iterator[str]:
    """Links and paths of a document that lead nowhere."""
    folder = (ROOT / source.path).parent
    for link in LINK.findall(source.text):
        if not (folder / link).exists():
            yield f"{source.path}: {link}"
    for path in PATH.findall(source.text):
        if not (ROOT / path).exists():
            yield f"{source.path}: {path}"


def test_every_link_and_every_path_leads_somewhere() -> None:
    assert [found for source in documents() for found in dead(source)] == []


def test_every_verb_is_in_the_makefile() -> None:
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {verb for source in documents() for verb in verbs(source.text)}
    assert asked <= known
    assert {"demo", "test"} <= verbs((ROOT / "README.md").read_text())


def test_decisions_are_numbered_without_gaps_and_say_why() -> None:
    decisions = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    for number, path in enumerate(decisions, 1):
        text = path.read_text()
        assert path.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
            assert part in text, path.name


def test_a_dead_link_is_rejected() -> None:
    assert list(dead(Source("docs/x.md", "[x](nowhere.md) and `consumer/nowhere.py`"))) == [
        "docs/x.md: nowhere.md",
        "docs/x.md: consumer/nowhere.py",
    ]
