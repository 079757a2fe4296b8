"""send: what goes to the broker, what is refused before, and what --wait tells."""

import json
from pathlib import Path

import pytest

from consumer.broker.link import Down
from consumer.broker.publisher import Unroutable
from handlers.commands import Command, CreateInstance, ResizeVolume
from handlers.errors import Reason
from handlers.events import Event, EventKind, event_of
from handlers.operation import SECOND, Failure, Operation, Phase
from tests.unit.cli.conftest import SCOPE, START, Bench

INSTANCE = "11111111-2222-3333-4444-555555555555"


def events(command: Command, failure: Failure | None = None) -> list[Event]:
    op = Operation(
        command=command, scope=SCOPE, accepted=START, phase=Phase.FORWARD, manager="natives"
    )
    start = event_of(op, EventKind.START, START, None)
    if failure:
        op = op.to_undo(failure, START)
    kind = EventKind.ERROR if failure else EventKind.END
    return [start, event_of(op.end(START), kind, START + 7 * SECOND, None)]


def test_fields_become_a_command(bench: Bench) -> None:
    done = bench.run(
        *("send", "volume.resize", "--instance", INSTANCE, "--id", "c-1"),
        *("--data", "project=p-1", "size=7"),
    )

    (sent,) = bench.sent
    assert done.code == 0
    assert done.out == f"command c-1 for instance {INSTANCE}\n"
    assert (sent.id, sent.subject) == ("c-1", INSTANCE)
    assert sent.body == ResizeVolume(project="p-1", size=7)


def test_fields_may_be_nested_lists_and_ids_of_digits(bench: Bench) -> None:
    done = bench.run(
        *("send", "instance.create", "--data", "project=p-1", "name=db", "flavor=2", "image=i-1"),
        *("volume.size=5", 'networks=[{"network": "n-1"}]', "config_drive=true"),
    )

    (sent,) = bench.sent
    assert done.code == 0
    assert isinstance(sent.body, CreateInstance)
    assert (sent.body.flavor, sent.body.config_drive) == ("2", True)
    assert sent.body.volume is not None
    assert sent.body.volume.size == 5
    assert sent.body.networks[0].network == "n-1"


def test_a_file_gives_fields_and_the_line_wins(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text(json.dumps({"project": "p-1", "size": 7}))

    bench.run("send", "volume.resize", "--data", str(path), "size=9")

    assert bench.sent[0].body == ResizeVolume(project="p-1", size=9)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["volume.resize", "--data", "project=p-1"], "missing required field `size`"),
        (["volume.resize", "--data", "project=p-1", "size=0"], "size"),
        (
            ["volume.resize", "--data", "project=p-1", "size=1", "colour=red"],
            "unknown field `colour`",
        ),
        (
            ["volume.resize", "--data", "project"],
            "--data project is neither KEY=VALUE nor a JSON object",
        ),
        (["volume.resize", "--data", "project=p-1", "size=[1"], "is no JSON"),
        (["volume.resize", "--data", "/nonexistent.json"], "/nonexistent.json is neither"),
        (["volume.resize", "--instance", "db-1", "--data", "project=p", "size=1"], "subject"),
        (["instance.create", "--data", "user_data=[1]"], "Nothing was sent"),
    ],
)
def test_what_a_worker_would_refuse_is_not_sent(
    bench: Bench, argv: list[str], sentence: str
) -> None:
    done = bench.run("send", *argv)

    assert done.code == 1
    assert sentence in done.err
    assert bench.sent == []


def test_an_unknown_command_names_the_known_ones(bench: Bench) -> None:
    done = bench.run("send", "instance.fly")

    assert done.code == 2


def test_wait_tells_each_event_and_how_it_ended(bench: Bench) -> None:
    bench.answers = events

    done = bench.run("send", "instance.delete", "--wait", "5", "--data", "project=p-1")

    assert done.code == 0
    assert done.out.splitlines()[1:] == [
        "trove.resources.instance.delete.start by natives",
        "trove.resources.instance.delete.end",
        "  after: 7.0 s",
    ]


def test_wait_for_a_failure_says_why_and_exits_with_1(bench: Bench) -> None:
    failure = Failure(reason=Reason.QUOTA, message="Quota exceeded for cores")
    bench.answers = lambda command: events(command, failure)

    done = bench.run("send", "instance.delete", "--wait", "5", "--data", "project=p-1")

    assert done.code == 1
    assert "  reason: quota\n  message: Quota exceeded for cores\n  what to do: raise" in done.out


def test_wait_ends_in_time(bench: Bench) -> None:
    done = bench.run(
        "send", "instance.delete", "--id", "c-1", "--wait", "0.05", "--data", "project=p-1"
    )

    assert done.code == 1
    assert done.err == (
        "No end of c-1 within 0.05 s: 'operations explain c-1' tells how far it is, "
        "'dlq show c-1' whether it was refused.\n"
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Down("connect to host:5672: refused"), "The broker does not answer (connect to host"),
        (Unroutable("no queue takes it"), "start a worker, it makes the queue"),
    ],
)
def test_a_broker_that_does_not_take_it_is_one_sentence(error: Exception, sentence: str) -> None:
    class Away(Bench):
        def send(self, body: bytes, command: Command) -> None:
            raise error

    done = Away().run("send", "instance.delete", "--data", "project=p-1")

    assert done.code == 1
    assert sentence in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--id", ""), "attribute id: 1 to 64 letters"),
        (("--instance", ""), "attribute subject: a UUID in lower case"),
        (("--instance", "orders-db"), "attribute subject: a UUID in lower case"),
    ],
)
def test_an_empty_or_wrong_id_is_not_a_new_one(
    bench: Bench, options: tuple[str, ...], sentence: str
) -> None:
    done = bench.run("send", "volume.resize", *options, "--data", "project=p-1", "size=7")

    assert (done.code, bench.sent) == (1, [])
    assert sentence in done.err


def test_a_whole_event_is_not_taken_for_the_fields_of_a_command(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"specversion": "1.0", "data": {"project": "p-1", "size": 7}}))

    done = bench.run("send", "volume.resize", "--data", str(path))

    assert (done.code, bench.sent) == (1, [])
    assert "give only what its 'data' holds" in done.err


@pytest.mark.parametrize("seconds", ["0", "nan", "-1", "inf", "soon"])
def test_a_wait_is_a_time(bench: Bench, seconds: str) -> None:
    done = bench.run(
        "send", "volume.resize", f"--wait={seconds}", "--data", "project=p-1", "size=7"
    )

    assert (done.code, bench.sent) == (2, [])
