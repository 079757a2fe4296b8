"""The tree keeps the rules, and each rule rejects a planted violation."""

import pytest

from tests.house import rules
from tests.house.tree import Rule, Source, broken, sources

LONG_FUNCTION = '"""M."""\n\n\ndef long() -> None:\n    """L."""\n' + "    print(1)\n" * 40
LONG_CLASS = '"""M."""\n\n\nclass Long:\n    """L."""\n\n' + "    a = 1\n" * 250

#: rule -> files that break it
PLANTED: dict[Rule, tuple[Source, ...]] = {
    rules.file_is_short: (
        Source("consumer/x.py", "a = 1\n" * 301),
        Source("tests/unit/test_x.py", "a = 1\n" * 401),
    ),
    rules.functions_are_short: (
        Source("handlers/x.py", LONG_FUNCTION),
        Source("handlers/x.py", LONG_CLASS),
        Source("tests/x.py", LONG_FUNCTION + "    print(1)\n" * 20),
    ),
    rules.public_names_are_explained: (
        Source("consumer/x.py", "a = 1\n"),
        Source("consumer/x.py", '"""M."""\n\n\ndef public() -> None:\n    pass\n'),
        Source("handlers/x.py", '"""M."""\n\n\nclass Public:\n    pass\n'),
    ),
    rules.modules_hold_no_state: (
        Source("consumer/x.py", "cache = {}\n"),
        Source("handlers/x.py", "_seen: list[str] = []\n"),
    ),
    rules.nothing_is_left_open: (
        Source("docs/x.md", "TODO: write this\n"),
        Source("consumer/x.py", "raise NotImplementedError\n"),
    ),
    rules.no_path_of_one_machine: (
        Source("tests/x.sh", "cd /home/me\n"),
        Source("docs/x.md", "see /root/checkout\n"),
        Source("etc/x.conf", "log=/tmp/log\n"),
    ),
    rules.tests_never_skip: (
        Source("tests/unit/test_x.py", "@mark.skip\ndef test_x(): pass\n"),
        Source("tests/chaos/test_x.py", "    pytest.importorskip('later')\n"),
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: str(rule.__name__))
def test_the_tree_keeps(rule: Rule) -> None:
    assert broken(rule, sources()) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: str(rule.__name__))
def test_a_planted_violation_is_rejected(rule: Rule) -> None:
    for planted in PLANTED[rule]:
        assert broken(rule, [planted]), planted.path


def test_documented_places_are_no_paths_of_one_machine() -> None:
    text = "/opt/cloud/clouds.yaml, /opt/trove-resources/bin, tests/home/x and ${ROOT}/tmp/x\n"
    fine = Source("docs/x.md", text)
    assert broken(rules.no_path_of_one_machine, [fine]) == []


def test_tests_inject_instead_of_patching() -> None:
    assert rules.patches_per_test(sources()) <= rules.PATCHES_PER_TEST


def test_patches_are_counted() -> None:
    patched = "def test_x(monkeypatch):\n    monkeypatch.delattr(a, 'b')\n"
    assert rules.patches_per_test([Source("tests/unit/test_x.py", patched)]) == 1


def test_modules_are_short_in_the_median() -> None:
    assert rules.median_lines(sources()) < rules.MEDIAN_LINES


def test_the_median_is_taken_over_the_product() -> None:
    files = [Source(f"consumer/{n}.py", "a = 1\n" * n) for n in (2, 200, 300)]
    assert rules.median_lines([*files, Source("tests/x.py", "a = 1\n" * 900)]) == 200
