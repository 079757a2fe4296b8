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


#: What each manager calls: services, and requests per create that change something.
CALLS = {
    "natives": ({"compute", "network", "volume"}, 5),
    "orchestrator": ({"compute", "network", "volume", "orchestration"}, 2),
    "migration": ({"compute", "network", "volume", "orchestration"}, 2),
}

#: What is sent besides with a manager: to each of two instances.
MOVES = {"migration": {("instance.release", "end"): 2, ("instance.adopt", "end"): 2}}


@pytest.mark.parametrize("manager", CALLS)
def test_every_command_ends_as_it_should_and_nothing_is_left(manager: str) -> None:
    """One run for all of it: a run takes seconds."""
    done = run("--json", "--manager", manager)
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)

    assert told["ok"] is True
    assert told["leftovers"] == []
    assert ended(told) == {
        ("instance.create", "end"): 2,
        ("instance.create", "error"): 1,
        ("volume.resize", "end"): 2,
        ("instance.resize", "end"): 2,
        ("security_group_rules.update", "end"): 2,
        ("instance.delete", "end"): 2,
        **MOVES.get(manager, {}),
    }
    assert set(kinds(told)) == {each["id"] for each in told["commands"]}
    assert set(kinds(told).values()) == {("start", "end"), ("start", "error")}
    workers = {event["data"]["manager"] for event in told["events"]}
    assert workers == ({*CALLS} if manager in MOVES else {manager})
    services, changing = CALLS[manager]
    assert told["calls_per_create"]["changing"] == changing
    assert set(told["cloud_calls"]) == services
    known = 'trove_resources_commands_received_total{command="instance.create",verdict="known"}'
    assert told["metrics"][known] == 1, "the second delivery of a command is known"


def ended(told: Any) -> Counter[tuple[str, str]]:
    """How many commands of each name ended how."""
    return Counter((each["command"], each["outcome"]) for each in told["commands"])


def kinds(told: Any) -> dict[str, tuple[str, ...]]:
    """The kinds of the events of each command."""
    found: dict[str, tuple[str, ...]] = {}
    for event in told["events"]:
        operation = event["data"]["operation"]
        found[operation] = (*found.get(operation, ()), event["type"].rpartition(".")[2])
    return found


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
