"""The rules that no linter knows. Each takes one file and yields "line: what is wrong"."""

import ast
import re
from collections.abc import Iterator
from statistics import median

from tests.house.tree import Source

FILE_LINES = 300
TEST_FILE_LINES = 400
FUNCTION_LINES = 40
TEST_FUNCTION_LINES = 60
CLASS_LINES = 250
MEDIAN_LINES = 150
PATCHES_PER_TEST = 0.05

OPEN_END = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
MACHINE_PATH = re.compile(r"(?<![\w.}])/(work|tmp|home|root|opt)/(?!cloud\b|trove-resources\b)")
PATCH = re.compile(r"\bpatch\(|monkeypatch\.(set|del)|mock\.patch")
TEST = re.compile(r"^\s*(?:async )?def test_", re.MULTILINE)
SKIP = re.compile(r"pytest\.(skip|xfail|importorskip)\b|mark\.(skip|skipif|xfail)\b")

#: These files speak of what they forbid.
HOUSE = "tests/house/"

#: The one rule that may skip a test, where a service is missing, and its tests.
MAY_SKIP = ("tests/support/services.py", "tests/unit/test_services.py")


def file_is_short(source: Source) -> Iterator[str]:
    """Modules have at most 300 lines (400 in tests)."""
    limit = FILE_LINES if source.is_product else TEST_FILE_LINES
    if source.is_python and source.lines > limit:
        yield f"1: {source.lines} lines, at most {limit}"


def functions_are_short(source: Source) -> Iterator[str]:
    """Functions have at most 40 lines (60 in tests), classes 250."""
    if not source.is_python:
        return
    limit = FUNCTION_LINES if source.is_product else TEST_FUNCTION_LINES
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _longer(node, limit)
        elif isinstance(node, ast.ClassDef):
            yield from _longer(node, CLASS_LINES)


def _longer(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, limit: int
) -> Iterator[str]:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if length > limit:
        yield f"{node.lineno}: {node.name} has {length} lines, at most {limit}"


def public_names_are_explained(source: Source) -> Iterator[str]:
    """Modules, public classes and public functions of consumer and handlers have a docstring."""
    if not source.is_product or source.path.startswith("simulator/"):
        return
    if not ast.get_docstring(source.tree):
        yield "1: the module has no docstring"
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for node in (node for node in source.tree.body if isinstance(node, kinds)):
        if not node.name.startswith("_") and not ast.get_docstring(node):
            yield f"{node.lineno}: {node.name} has no docstring"


def modules_hold_no_state(source: Source) -> Iterator[str]:
    """No module of the product keeps something that can change under a name of its own."""
    if not source.is_product:
        return
    for node in source.tree.body:
        targets, value = _assignment(node)
        for name in targets:
            constant = name.strip("_").isupper() or name == "__all__"
            if not constant and isinstance(value, ast.List | ast.Dict | ast.Set):
                yield f"{node.lineno}: {name} is shared state"


def _assignment(node: ast.stmt) -> tuple[list[str], ast.expr | None]:
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)], node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id], node.value
    return [], None


def _found(pattern: re.Pattern[str], source: Source, why: str) -> Iterator[str]:
    if source.path.startswith(HOUSE):
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        if match := pattern.search(line):
            yield f"{number}: {match[0]}: {why}"


def nothing_is_left_open(source: Source) -> Iterator[str]:
    """What is written is finished."""
    yield from _found(OPEN_END, source, "finish it or leave it out")


def no_path_of_one_machine(source: Source) -> Iterator[str]:
    """No path that exists on one machine only; the documented places below /opt are none."""
    yield from _found(MACHINE_PATH, source, "a path of one machine")


def tests_never_skip(source: Source) -> Iterator[str]:
    """Only the rule for missing services skips."""
    if source.path.startswith("tests/") and source.is_python and source.path not in MAY_SKIP:
        yield from _found(SKIP, source, "only the rule for missing services may skip")


def patches_per_test(files: list[Source]) -> float:
    """How often the tests replace a name in a module, per test."""
    tests = [source for source in files if source.path.startswith("tests/") and source.is_python]
    tests = [source for source in tests if not source.path.startswith(HOUSE)]
    count = sum(len(TEST.findall(source.text)) for source in tests)
    return sum(len(PATCH.findall(source.text)) for source in tests) / max(count, 1)


def median_lines(files: list[Source]) -> float:
    """The median length of the product's modules that say more than a docstring."""
    lengths = [source.lines for source in files if source.is_product and source.lines > 1]
    return median(lengths) if lengths else 0


RULES = (
    file_is_short,
    functions_are_short,
    public_names_are_explained,
    modules_hold_no_state,
    nothing_is_left_open,
    no_path_of_one_machine,
    tests_never_skip,
)
