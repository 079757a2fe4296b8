"""`trove-resources worker` as a process: signals, exit codes, what it prints."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest

from consumer import wiring
from consumer.cli.main import Main
from consumer.cli.wired import Wired
from consumer.config import Settings
from consumer.config.settings import Ledger
from handlers.secret import Secret
from simulator import clouds_yaml
from tests.support.processes import Programs, programs, wait_until

ROOT = Path(__file__).parents[2]
MAIN = "from consumer.cli.main import main; raise SystemExit(main())"
TOOL = (sys.executable, "-c", MAIN)


@contextmanager
def installation(folder: Path) -> Iterator[Programs]:
    """An installation on SQLite, a broker in memory and a cloud that is away."""
    (folder / "clouds.yaml").write_text(json.dumps(clouds_yaml("http://127.0.0.1:9")))
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OS_LEDGER__URL": f"sqlite:///{folder}/ledger.db",
        "OS_BROKER__URL": "memory://",
        "OS_CLOUDS__CONFIG_FILE": str(folder / "clouds.yaml"),
        "OS_TELEMETRY__PORT": "0",
    }
    with programs(folder, environment) as started:
        yield started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with installation(tmp_path) as started:
        assert started.run("upgrade", [*TOOL, "db", "upgrade"], 60) == 0
        worker = started.start("worker", [*TOOL, "worker"])
        log = started.log("worker")
        assert wait_until(lambda: "broker connected" in log.read_text(), 60), log.read_text()

        worker.send_signal(number)

        assert worker.wait(30) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines[0]["event"] == "worker starts"
    assert (lines[-1]["event"], lines[-1]["outcome"]) == ("worker ends", "stopped")
    assert any(line["event"] == "cloud is away" for line in lines)


# -- refused before anything starts; without a process of its own, which takes seconds -------------


def refused(tmp_path: Path, *options: str) -> str:
    """What `worker` says about a configuration with these options (`[group] name = value`) too."""
    (tmp_path / "clouds.yaml").write_text(json.dumps(clouds_yaml("http://127.0.0.1:9")))
    groups = {
        "[ledger]": f"url = sqlite:///{tmp_path}/ledger.db",
        "[broker]": "url = memory://",
        "[clouds]": f"config_file = {tmp_path}/clouds.yaml",
        "[telemetry]": "port = 0",
    }
    lines = [f"{group}\n{text}" for group, text in groups.items()]
    lines += [option.replace("] ", "]\n", 1) for option in options]
    (tmp_path / "worker.conf").write_text("\n".join(lines))
    out, err = StringIO(), StringIO()
    code = Main(Wired, out, err).run(["--config-file", str(tmp_path / "worker.conf"), "worker"])
    assert code == 1
    assert "Traceback" not in err.getvalue()
    return err.getvalue()


def with_tables(tmp_path: Path) -> None:
    connect = f"sqlite:///{tmp_path}/ledger.db"
    wiring.upkeep_of(Settings(ledger=Ledger(url=Secret(connect)))).upgrade()


def test_old_tables_are_refused_with_what_to_do(tmp_path: Path) -> None:
    assert "run 'trove-resources db upgrade'" in refused(tmp_path)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("[worker] tick = soon", "[worker] tick is not valid"),
        ("[notifications] url = fake://", "[notifications] url names no host"),
        ("[secrets] keys = 123", "[secrets] keys"),
        ("[ledger] url = oracle://db", "[ledger] url: the ledger cannot be kept in oracle"),
        ("[clouds] default = moon", "[clouds] cloud moon/RegionOne"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(tmp_path: Path, option: str, sentence: str) -> None:
    with_tables(tmp_path)

    assert sentence in refused(tmp_path, option)


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with_tables(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert f"127.0.0.1:{port} cannot be had" in refused(tmp_path, f"[telemetry] port = {port}")
