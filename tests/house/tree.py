"""The files of the project, as the rules read them."""

import ast
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

#: Packages that are the product; `tests` is what holds them to their word.
PRODUCT = ("consumer", "handlers", "simulator")

#: Files that we carry as they are: the fakes run inside the test cloud, the licence is the licence.
FOREIGN = ("tests/cloud/plugins/", "tests/cloud/constraints.txt", "LICENSE")


class Source(NamedTuple):
    """One file: its path from the top of the tree with slashes, and its text."""

    path: str
    text: str

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @property
    def is_product(self) -> bool:
        return self.is_python and self.path.split("/")[0] in PRODUCT

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)


#: A rule looks at one file and yields what is wrong with it, as "line: what".
Rule = Callable[[Source], Iterator[str]]


def sources(root: Path = ROOT) -> list[Source]:
    """Every text file that git knows or would add, but for those that we only carry."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [
        Source(name, (root / name).read_text(encoding="utf-8"))
        for name in sorted(filter(None, names.split("\0")))
        if not name.startswith(FOREIGN) and (root / name).is_file()
    ]


def broken(rule: Rule, files: Iterable[Source]) -> list[str]:
    """What the rule finds, as "path:line: what"."""
    return [f"{source.path}:{finding}" for source in files for finding in rule(source)]
