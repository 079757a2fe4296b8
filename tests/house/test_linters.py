"""The linters hold the tree, and each reports a planted violation."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import PRODUCT, ROOT

BIN = Path(sys.executable).parent

#: contract -> (module, an import that it must not have)
PLANTED_IMPORTS = {
    "consumer and simulator stand on handlers, and never on each other": (
        "handlers/resources.py",
        "import consumer.clock",
    ),
    "intake, reconciler and relay meet only in the ledger": (
        "consumer/relay.py",
        "import consumer.intake",
    ),
    "managers are made of steps, steps of words": (
        "handlers/steps/volumes.py",
        "import handlers.natives",
    ),
    "plans are pure: no cloud, no client, no clock, no dice": (
        "handlers/natives.py",
        "import time",
    ),
    "the clouds behind the protocol do not know each other, nor who uses them": (
        "handlers/clouds/memory/state.py",
        "import handlers.clouds.openstack",
    ),
    "nothing goes round in circles": (
        "consumer/telemetry/base.py",
        "import consumer.relay",
    ),
    "openstacksdk lives in handlers/clouds/openstack": ("consumer/clock.py", "import openstack"),
    "heatclient lives in handlers/clouds/openstack/orchestration": (
        "handlers/clouds/openstack/compute.py",
        "import heatclient",
    ),
    "kombu lives in consumer/broker": ("consumer/clock.py", "import kombu"),
    "oslo.messaging lives in consumer/notifications": (
        "consumer/clock.py",
        "import oslo_messaging",
    ),
    "SQLAlchemy and Alembic live in consumer/ledger, and where Trove's own database is read": (
        "consumer/imports/importing.py",
        "import sqlalchemy",
    ),
    "prometheus-client lives in consumer/telemetry": (
        "consumer/clock.py",
        "import prometheus_client",
    ),
    "structlog lives in consumer/telemetry/logs": ("consumer/clock.py", "import structlog"),
    "oslo.config lives in consumer/config": ("consumer/clock.py", "import oslo_config"),
    "cliff and rich live in consumer/cli": ("consumer/clock.py", "import rich"),
    "cryptography lives in consumer/secrets": ("consumer/clock.py", "import cryptography"),
    "werkzeug lives in simulator": ("consumer/clock.py", "import werkzeug"),
}

#: ruff's code -> text that it must not accept
PLANTED_TEXTS = {
    "F401": "import os\n",
    "F821": "print(unknown)\n",
    "PLC0415": "def f() -> None:\n    import os\n\n    os.getcwd()\n",
    "PLW0603": "A = 1\n\n\ndef f() -> None:\n    global A\n    A = 2\n",
    "T201": "print(1)\n",
    "S608": "def f(x: str) -> str:\n    return f'SELECT * FROM t WHERE x = {x}'\n",
    "B006": "def f(x: list[int] = []) -> None:\n    x.append(1)\n",
    "SLF001": "def f(x: object) -> object:\n    return x._hidden\n",
    "C901": "def f(x: int) -> None:\n" + "    if x:\n        x += 1\n" * 11,
    "PGH003": "a = 1  # type: ignore\n",
}


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def test_every_import_rule_is_kept() -> None:
    done = run(BIN / "lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout


def test_every_import_rule_has_a_planted_violation() -> None:
    assert sorted(PLANTED_IMPORTS) == sorted(contracts())


def test_every_import_rule_rejects_its_planted_violation(tmp_path: Path) -> None:
    for package in PRODUCT:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, planted in PLANTED_IMPORTS.values():
        with (tmp_path / name).open("a") as file:
            file.write(f"\n{planted}  # planted\n")

    done = run(BIN / "lint-imports", "--no-cache", cwd=tmp_path)

    text = " ".join(done.stdout.split())
    assert done.returncode == 1, done.stdout
    assert [name for name in contracts() if f"{name} BROKEN" not in text] == []


@pytest.mark.parametrize("code", PLANTED_TEXTS)
def test_ruff_rejects_a_planted_violation(code: str, tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text('"""Planted."""\n\n' + PLANTED_TEXTS[code])
    done = run(BIN / "ruff", "check", "--no-cache", "--config", ROOT / "pyproject.toml", path)
    assert done.returncode == 1
    assert f"{code} " in done.stdout


def test_ruff_rejects_planted_layout(tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text("a=1\n")
    config = ROOT / "pyproject.toml"
    done = run(BIN / "ruff", "format", "--check", "--no-cache", "--config", config, path)
    assert done.returncode == 1


def test_mypy_rejects_what_is_untyped_and_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text("def f(x):\n    return x\n\n\ndef g() -> int:\n    return ''\n")
    config = ("--config-file", ROOT / "pyproject.toml", "--cache-dir", tmp_path / "cache")
    done = run(BIN / "mypy", *config, path)
    assert done.returncode == 1
    assert "no-untyped-def" in done.stdout
    assert "return-value" in done.stdout
