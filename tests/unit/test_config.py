"""The configuration: defaults, files, environment, secrets, and what it refuses."""

import io
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from oslo_config import cfg, generator

from consumer.config import Misconfigured, Settings, list_opts, load
from consumer.config.fleet import Migration
from consumer.config.settings import (
    Broker,
    Clouds,
    Ledger,
    Limits,
    Managers,
    Worker,
)
from consumer.config.validation import problems
from handlers.resources import Service
from handlers.secret import Secret

ROOT = Path(__file__).parents[2]
GOOD = Settings(ledger=Ledger(url=Secret("sqlite:///ledger.db")))


def written(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "worker.conf"
    path.write_text(text)
    return ["--config-file", str(path)]


def test_a_ledger_url_is_all_that_must_be_set(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "[ledger]\nurl = sqlite:///ledger.db\n"))

    assert settings == GOOD


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    text = """
        [ledger]
        url = sqlite:///ledger.db
        [worker]
        tick = 0.5
        threads = 8
        [broker]
        tls = true
        [clouds]
        others = east/RegionOne, west/RegionTwo
        [limits]
        deadlines = instance.create:900,instance.delete:60
        [telemetry]
        log_format = json
    """
    settings = load(written(tmp_path, "\n".join(line.strip() for line in text.splitlines())))

    assert (settings.worker.tick, settings.worker.threads) == (0.5, 8)
    assert settings.broker.tls is True
    assert settings.clouds.others == ("east/RegionOne", "west/RegionTwo")
    assert settings.limits.deadlines == {"instance.create": 900.0, "instance.delete": 60.0}
    assert settings.telemetry.log_format == "json"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[worker]\ntick = 99\n", "[worker] tick is not valid: Should be less than or equal to 60"),
        ("[worker]\ntick = soon\n", "[worker] tick is not valid"),
        ("[telemetry]\nlog_level = loud\n", "[telemetry] log_level is not valid"),
        ("[worker]\ntikc = 1\n", "[worker] tikc is no option, did you mean tick"),
        ("[brocker]\nurl = x\n", "[brocker] is no group of options, did you mean broker"),
        ("[limits]\ndeadlines = instance.fly:60\n", "'instance.fly', which is no command"),
        ("[broker]\nurl = amqp://u:pa$$$word@h//\n", "write $$ for every dollar sign"),
        ("[broker]\nurl_file = /nonexistent/url\n", "/nonexistent/url cannot be read"),
        ("tick = 1\n", "worker.conf"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load(written(tmp_path, f"{text}[ledger]\nurl = sqlite:///ledger.db\n"))

    assert sentence in str(caught.value)


def test_groups_of_oslo_messaging_may_stand_in_the_same_file(tmp_path: Path) -> None:
    load(written(tmp_path, "[ledger]\nurl = x\n[oslo_messaging_rabbit]\nssl = true\n"))


def test_a_missing_file_is_a_sentence() -> None:
    with pytest.raises(Misconfigured, match=r"/nonexistent\.conf"):
        load(["--config-file", "/nonexistent.conf"])


def test_a_secret_may_come_from_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mysql+pymysql://trove:s3cret@db/trove\n")

    settings = load(written(tmp_path, f"[ledger]\nurl_file = {tmp_path}/secret\n"))

    assert settings.ledger.url.reveal() == "mysql+pymysql://trove:s3cret@db/trove"
    assert "s3cret" not in repr(settings)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    args = written(tmp_path, "[ledger]\nurl = sqlite:///ledger.db\n[worker]\ntick = 2\n")
    code = "import sys; from consumer.config import load; print(load(sys.argv[1:]).worker.tick)"

    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        env={**os.environ, "OS_WORKER__TICK": "0.25"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "0.25"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            replace(GOOD, migration=Migration(projects=("the first",))),
            "[migration] projects: 'the first' is no id",
        ),
        (replace(GOOD, migration=Migration(flavors=("",))), "[migration] flavors: '' is no id"),
        (Settings(), "[ledger] url is not set"),
        (replace(GOOD, limits=Limits(deadline=60)), "[limits] deadline (60 s) leaves no time"),
        (replace(GOOD, limits=Limits(undo_budget=60)), "[limits] undo_budget (60 s)"),
        (replace(GOOD, worker=Worker(tick=20)), "make it at least 60 s"),
        (replace(GOOD, managers=Managers(default="magic")), "choose one of natives"),
        (replace(GOOD, clouds=Clouds(others=("east",))), "'east' is not entry/region"),
        (
            replace(GOOD, ledger=Ledger(url=Secret("x"), lease_ttl=2)),
            "[ledger] lease_ttl (2 s) is too short",
        ),
        (replace(GOOD, broker=Broker(tls=True, tls_cert="c")), "give both or neither"),
        (replace(GOOD, broker=Broker(tls_ca="ca")), "[broker] tls_ca is set but tls is not"),
        (replace(GOOD, limits=Limits(deadlines={"instance.create": 1})), "at least 10 s"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(
    settings: Settings, sentence: str
) -> None:
    assert sentence in "\n".join(problems(settings))


def test_the_defaults_are_sound() -> None:
    assert problems(GOOD) == []
    assert set(GOOD.clouds.timeouts) == set(Service)


def test_every_option_has_help_and_every_secret_a_file() -> None:
    for group, options in list_opts():
        names = {option.name for option in options}
        assert group.help
        for option in options:
            assert option.help, f"[{group.name}] {option.name} has no help text"
            assert not option.secret or f"{option.name}_file" in names


def test_what_may_hold_a_password_is_secret() -> None:
    secret = {f"{g.name}.{o.name}" for g, options in list_opts() for o in options if o.secret}

    assert secret == {
        "broker.url",
        "ledger.url",
        "notifications.url",
        "secrets.keys",
        "trove.database",
    }


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        GOOD.worker.tick = 2.0  # type: ignore[misc]

    assert msgspec.structs.replace(GOOD.worker, tick=2.0).tick == 2.0


def test_the_sample_is_current() -> None:
    conf = cfg.ConfigOpts()
    generator.register_cli_opts(conf)
    conf(["--config-file", str(ROOT / "etc" / "config-generator.conf")])
    fresh = io.StringIO()

    generator.generate(conf, output_file=fresh)

    sample = (ROOT / "etc" / "trove-resources.conf.sample").read_text()
    assert sample == fresh.getvalue(), (
        "run: oslo-config-generator --config-file etc/config-generator.conf"
    )


def test_a_misspelt_variable_is_found_and_another_program_s_is_not(tmp_path: Path) -> None:
    args = written(tmp_path, "[ledger]\nurl = sqlite:///ledger.db\n")
    others = {"OS_REGION_NAME": "x", "OS_DEFAULT__DEBUG": "1", "OS_WORKER__TICK": "1"}

    assert load(args, others) == GOOD
    with pytest.raises(Misconfigured, match=r"OS_WORKER__TIKC: .* did you mean tick"):
        load(args, {**others, "OS_WORKER__TIKC": "1"})
