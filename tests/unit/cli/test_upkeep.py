"""config, db, dlq and worker: what they print and how they end."""

import json
from pathlib import Path

import msgspec
import pytest
from cryptography.fernet import Fernet

from consumer.broker.deadletters import AT, DETAIL, LETTER, REASON
from consumer.broker.inbox import Delivery
from consumer.cli.main import COMMANDS
from consumer.cli.tools import Finding, Mistake
from consumer.cli.wired import Wired, findings
from consumer.config import Misconfigured, Settings
from consumer.config.settings import Broker, Clouds, Ledger, Notifications, Secrets
from handlers.secret import Secret
from tests.unit.cli.conftest import Bench

#: Nothing listens here.
NOWHERE = "127.0.0.1:9"


def letter(name: str, at: str) -> Delivery:
    body = {
        "id": f"command-{name}",
        "type": "trove.resources.instance.create",
        "subject": "instance-1",
        "data": {"project": "p-1", "user_data": "pl4nted", "colour": "red"},
    }
    return Delivery(
        epoch=1,
        tag=1,
        body=msgspec.json.encode(body),
        headers={LETTER: name, REASON: "invalid_data", DETAIL: "data: colour", AT: at},
    )


def test_check_succeeds_when_all_is_well(bench: Bench) -> None:
    bench.found = [Finding("ledger", good=True, text="answers")]

    done = bench.run("config", "check", "-f", "csv", "--quote", "none")

    assert done.code == 0
    assert done.out == "What,State,Finding\nledger,ok,answers\n"


def test_check_fails_when_one_thing_is_not(bench: Bench) -> None:
    bench.found = [
        Finding("ledger", good=False, text="start the database"),
        Finding("broker", good=True, text="answers"),
    ]

    done = bench.run("config", "check", "-f", "json")

    assert done.code == 1
    assert [row["State"] for row in json.loads(done.out)] == ["NOT OK", "ok"]


def test_what_is_away_is_found_out(tmp_path: Path) -> None:
    settings = Settings(
        ledger=Ledger(url=Secret(f"sqlite:///{tmp_path}/ledger.db")),
        broker=Broker(url=Secret(f"amqp://trove:pl4nted@{NOWHERE}//"), connect_timeout=0.5),
        clouds=Clouds(config_file=str(tmp_path / "none.yaml")),
        secrets=Secrets(keys=Secret("no key")),
    )

    found = {each.what: each for each in findings(lambda: settings)}

    assert found["ledger"].good
    bad = {what: each.text for what, each in found.items() if not each.good}
    assert "'trove-resources db upgrade'" in bad["ledger tables"]
    assert "'trove-resources config key'" in bad["secret keys"]
    assert NOWHERE in bad["broker of commands"]
    assert "broker of events" in bad
    assert "trove/RegionOne" in bad["clouds"]
    assert "pl4nted" not in repr(found)


def test_a_configuration_that_cannot_be_read_is_all_that_is_said() -> None:
    def broken() -> Settings:
        raise Misconfigured("[worker] tick is not valid.\n[ledger] url is not set.")

    found = list(findings(broken))

    assert [each.text for each in found] == [
        "[worker] tick is not valid.",
        "[ledger] url is not set.",
    ]


def test_show_masks_secrets(bench: Bench) -> None:
    bench.settings = Settings(ledger=Ledger(url=Secret("mysql://trove:pl4nted@db/x")))

    done = bench.run("config", "show", "-f", "json")

    values = {(row["Group"], row["Option"]): row["Value"] for row in json.loads(done.out)}
    assert values["ledger", "url"] == "Secret('***')"
    assert values["worker", "tick"] == "1.0"
    assert "pl4nted" not in done.out


def test_a_new_key_is_a_fernet_key(bench: Bench) -> None:
    Fernet(bench.run("config", "key").out.strip())


def test_upgrade_says_what_it_did(bench: Bench) -> None:
    done = bench.run("db", "upgrade")

    assert done.out == "The ledger's tables went from nothing to 0001.\n"


def test_dead_letters_are_listed_oldest_first(bench: Bench) -> None:
    bench.refused = [letter("b", "2026-01-02"), letter("a", "2026-01-01")]

    found = json.loads(bench.run("dlq", "list", "-f", "json").out)

    assert [row["Letter"] for row in found] == ["a", "b"]
    assert (found[0]["Reason"], found[0]["Command"]) == ("invalid_data", "command-a")


def test_a_dead_letter_is_shown_with_the_remedy_and_no_secret(bench: Bench) -> None:
    bench.refused = [letter("a", "2026-01-01")]

    done = bench.run("dlq", "show", "command-a", "-f", "json")

    found = json.loads(done.out)
    assert found["remedy"] == "correct the field that the detail names and send it under a new id"
    assert found["body"]["data"]["project"] == "p-1"
    assert "pl4nted" not in done.out


def test_an_unknown_dead_letter_is_one_sentence(bench: Bench) -> None:
    done = bench.run("dlq", "show", "nothing")

    assert done.code == 1
    assert "'dlq list' shows what there is" in done.err


@pytest.mark.parametrize("code", [0, 3])
def test_the_worker_ends_with_its_own_code(bench: Bench, code: int) -> None:
    bench.outcome = code

    assert bench.run("worker").code == code


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_a_command_is_that_command_s(
    bench: Bench, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    done = bench.run(*name.split(), "--help")

    assert done.code == 0
    assert f"usage: trove-resources {name}" in done.out + capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_first_line_of_a_command_s_help_is_a_whole_sentence(name: str) -> None:
    text = COMMANDS[name].__doc__ or ""

    assert text.splitlines()[0].endswith(".")


def test_tables_that_nobody_made_are_told_from_a_ledger_that_is_away(tmp_path: Path) -> None:
    path = tmp_path / "worker.conf"
    path.write_text(f"[ledger]\nurl = sqlite:///{tmp_path}/ledger.db\n")

    with pytest.raises(Mistake, match="'trove-resources db upgrade'"):
        Wired((f"--config-file={path}",)).ledger()


@pytest.mark.parametrize(
    "url", ["http://h", "amqp://u:pl4n#ted@h//", "amqp://u:p@h:pl4nted//", "pl4nted"]
)
def test_a_broker_url_that_is_none_is_found_out(tmp_path: Path, url: str) -> None:
    settings = Settings(
        ledger=Ledger(url=Secret(f"sqlite:///{tmp_path}/ledger.db")),
        broker=Broker(url=Secret(url), connect_timeout=0.5),
        clouds=Clouds(config_file=str(tmp_path / "none.yaml")),
    )

    found = {each.what: each for each in findings(lambda: settings)}

    assert "write amqp://user:password@host:5672/vhost" in found["broker of commands"].text
    assert not found["broker of events"].good
    assert "pl4n" not in repr(found)


def test_an_events_url_that_is_none_is_found_out(tmp_path: Path) -> None:
    settings = Settings(
        ledger=Ledger(url=Secret(f"sqlite:///{tmp_path}/ledger.db")),
        broker=Broker(url=Secret(f"amqp://{NOWHERE}//"), connect_timeout=0.5),
        notifications=Notifications(url=Secret("pl4nted")),
        clouds=Clouds(config_file=str(tmp_path / "none.yaml")),
    )

    found = {each.what: each for each in findings(lambda: settings)}

    assert "write rabbit://user:password@host:5672/vhost" in found["broker of events"].text
    assert "pl4nted" not in repr(found)
