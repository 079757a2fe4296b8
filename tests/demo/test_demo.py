"""The demo, as a newcomer runs it: a process of its own, no service, nothing left behind."""

import json
import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
QUICK = ("--instances", "2", "--build-seconds", "0.3-0.6")
DEMO = (
    sys.executable,
    "-c",
    "from consumer.cli.main import main; raise SystemExit(main())",
    "demo",
)


def run(*options: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(folder)} if folder else None
    return subprocess.run(
        [*DEMO, *QUICK, *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.fixture(scope="module")
def told() -> Any:
    """What --json prints."""
    done = run("--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_every_command_ends_as_it_should(told: Any) -> None:
    ended = Counter((each["command"], each["outcome"]) for each in told["commands"])

    assert ended == {
        ("instance.create", "end"): 2,
        ("instance.create", "error"): 1,
        ("volume.resize", "end"): 2,
        ("instance.resize", "end"): 2,
        ("security_group_rules.update", "end"): 2,
        ("instance.delete", "end"): 2,
    }
    assert told["ok"] is True
    assert all(each["expected"] for each in told["commands"])


def test_the_cloud_is_empty_again(told: Any) -> None:
    assert told["leftovers"] == []


def test_each_command_has_a_start_and_one_end(told: Any) -> None:
    kinds: dict[str, list[str]] = {}
    for event in told["events"]:
        kind = event["type"].rpartition(".")[2]
        kinds.setdefault(event["data"]["operation"], []).append(kind)

    assert set(kinds) == {each["id"] for each in told["commands"]}
    for told_of in kinds.values():
        assert told_of in (["start", "end"], ["start", "error"])


def test_a_create_takes_five_calls_that_change_something(told: Any) -> None:
    assert told["calls_per_create"]["changing"] == 5
    assert set(told["cloud_calls"]) == {"compute", "network", "volume"}


def test_the_second_delivery_of_a_command_is_known(told: Any) -> None:
    name = 'trove_resources_commands_received_total{command="instance.create",verdict="known"}'

    assert told["metrics"][name] == 1


def test_off_a_terminal_it_prints_plain_lines(tmp_path: Path) -> None:
    done = run("--instances", "1", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "db-1       instance.create.start" in done.stdout
    assert "nothing left behind" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_it_draws_a_table() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*DEMO, *QUICK, "--instances", "1"], cwd=ROOT, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        while chunk := _read(ours):
            seen += chunk
        code = process.wait(90)
    os.close(ours)

    assert code == 0, seen.decode()
    assert b"instance" in seen
    assert b"nothing left behind" in seen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_simulator_that_does_not_start_is_one_sentence(tmp_path: Path) -> None:
    done = run("--build-seconds", "soon", folder=tmp_path)

    assert done.returncode == 1
    assert "The simulator did not start" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
