"""template show: what Heat would be given for a command, and what is no such command."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.house.tree import ROOT
from tests.unit.cli.conftest import Bench

SAMPLES = ROOT / "docs/samples"
CREATE = SAMPLES / "commands/instance.create.json"
PAGE = (ROOT / "docs/operators.md").read_text()
EXAMPLES = re.findall(r"^    trove-resources (template show .+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", ["instance.create", "security_group.create"])
def test_the_samples_are_what_it_prints(bench: Bench, name: str) -> None:
    done = bench.run("template", "show", str(SAMPLES / f"commands/{name}.json"))

    assert (done.code, done.err) == (0, "")
    assert done.out == (SAMPLES / f"templates/{name}.yaml").read_text()


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_page_print_yaml(bench: Bench, example: str) -> None:
    done = bench.run(*shlex.split(example.replace("docs/", f"{ROOT}/docs/")))

    assert done.code == 0
    assert all(isinstance(part, dict) for part in yaml.safe_load_all(done.out))


def test_the_page_has_examples_of_the_whole_and_of_each_part() -> None:
    ends = {each.rpartition("--only ")[2] for each in EXAMPLES if "--only" in each}

    assert ends == {"template", "environment"}
    assert any("--only" not in each for each in EXAMPLES)


def test_a_part_is_one_document_and_both_are_the_whole(bench: Bench) -> None:
    template, environment, whole = (
        bench.run("template", "show", str(CREATE), *only).out
        for only in (["--only", "template"], ["--only", "environment"], [])
    )

    assert list(yaml.safe_load_all(whole)) == [
        yaml.safe_load(template),
        yaml.safe_load(environment),
    ]


def test_the_command_may_come_from_standard_input(bench: Bench) -> None:
    bench.stdin = CREATE.read_text()

    assert bench.run("template", "show", "-").out == bench.run("template", "show", str(CREATE)).out


def test_secrets_are_masked(bench: Bench) -> None:
    secret = json.loads(CREATE.read_text())["data"]["user_data"]

    done = bench.run("template", "show", str(CREATE), "--only", "environment")

    assert yaml.safe_load(done.out)["parameters"]["user_data"] == "********"
    assert not set(secret.split()) & set(done.out.split())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rubbish", "the message is not a JSON object"),
        ("{}", "attributes are missing: specversion"),
        (
            CREATE.read_text().replace("instance.create", "instance.fly"),
            "'trove.resources.instance.fly' is none of trove.resources.{",
        ),
        (
            CREATE.read_text().replace('"flavor"', '"flavour"'),
            "unknown field `flavour`",
        ),
        (
            (SAMPLES / "commands/volume.resize.json").read_text(),
            "volume.resize makes no stack: give an instance.create or a security_group.create.",
        ),
    ],
)
def test_what_makes_no_stack_is_one_sentence(
    bench: Bench, tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "command.json"
    path.write_text(text)

    done = bench.run("template", "show", str(path))

    assert (done.code, done.out) == (1, "")
    assert sentence in done.err
    assert "Traceback" not in done.err


def test_the_file_that_is_wrong_is_named(bench: Bench) -> None:
    bench.stdin = "rubbish"

    assert bench.run("template", "show", "/nonexistent.json").err.startswith(
        "/nonexistent.json cannot be read: "
    )
    assert bench.run("template", "show", "-").err.startswith("- is no command: ")


def test_a_wrong_command_does_not_show_its_secrets(bench: Bench) -> None:
    message = json.loads(CREATE.read_text())
    message["data"] |= {"user_data": "pl4nted" * 9000, "size": 5}
    bench.stdin = json.dumps(message)

    done = bench.run("template", "show", "-")

    assert done.code == 1
    assert "pl4nted" not in done.err


def test_a_part_that_there_is_not_is_a_wrong_command_line(bench: Bench) -> None:
    assert bench.run("template", "show", str(CREATE), "--only", "outputs").code == 2
