"""operations and instances: what an operator sees and can do."""

import json
from pathlib import Path

import pytest

from consumer.cli.render import lasted, when
from consumer.ledger.base import Ledger, Unavailable
from handlers.commands import CreateInstance, DeleteInstance
from handlers.instance import Ref
from handlers.operation import SECOND, Phase
from handlers.parts import Network
from handlers.resources import Kind
from handlers.secret import Secret
from tests.unit.cli.conftest import START, Bench

CREATE = CreateInstance(
    project="project-1",
    name="db",
    flavor="2",
    image="image-1",
    networks=(Network(network="net-1"),),
    user_data=Secret("pl4nted"),
)
DELETE = DeleteInstance(project="project-1")


def test_operations_are_listed_newest_first(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)
    bench.time += SECOND
    bench.accept("command-2", "instance-2", DELETE)

    done = bench.run("operations", "list", "-f", "json")

    assert done.code == 0
    found = json.loads(done.out)
    assert [row["Operation"] for row in found] == ["command-2", "command-1"]
    assert (found[1]["Command"], found[1]["Phase"]) == ("instance.create", "queued")


def test_the_list_can_be_narrowed(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)
    bench.accept("command-2", "instance-2", CREATE)
    bench.fail(bench.open(limit=1)[0])

    def ids(*options: str) -> list[str]:
        return bench.run(
            "operations", "list", "-f", "value", "-c", "Operation", *options
        ).out.split()

    assert ids("--phase", "failed") == ["command-1"]
    assert ids("--open") == ["command-2"]
    assert ids("--instance", "instance-2") == ["command-2"]
    assert ids("--limit", "1") == ["command-2"]


def test_show_says_all_but_no_secret(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)
    bench.fail(bench.open()[0])

    done = bench.run("operations", "show", "command-1", "-f", "json")

    found = json.loads(done.out)
    assert (found["phase"], found["reason"], found["request_id"]) == ("failed", "quota", "req-7")
    assert found["left_behind"] == ["port port-1: still in use"]
    assert "pl4nted" not in done.out


def test_what_only_may_be_left_is_told_without_an_id() -> None:
    note = "a volume may exist that carries the identity of instance-1"
    assert str(Ref(kind=Kind.VOLUME, id="", note=note)) == note
    assert str(Ref(kind=Kind.VOLUME, id="volume-1", role="volume")) == "volume volume-1"


def test_explain_tells_the_story_and_the_remedy(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)
    (op,) = bench.open()
    bench.time += 65 * SECOND
    bench.fail(op)

    done = bench.run("operations", "explain", "command-1")

    assert done.code == 0
    for line in (
        "instance.create of instance-1, operation command-1",
        "failed after 1m05s",
        "reason: quota (compute): Quota exceeded for cores: [not a tag], request req-7",
        "what to do: raise the quota or free resources, then send the command again",
        "left behind: port port-1: still in use",
        "event: trove.resources.instance.create.error",
    ):
        assert line in done.out
    assert any(
        line.split() == ["1m05s", "acted", "port/user-0", "req-6"] for line in done.out.splitlines()
    )
    assert "pl4nted" not in done.out


def test_explain_of_a_queued_one_says_what_it_waits_for(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)

    assert (
        "operations list --instance instance-1 --open"
        in bench.run("operations", "explain", "command-1").out
    )


@pytest.mark.parametrize("verb", ["show", "explain", "resume", "fail"])
def test_an_unknown_operation_is_one_sentence(bench: Bench, verb: str) -> None:
    done = bench.run("operations", verb, "nothing")

    assert done.code == 1
    assert done.err.startswith("There is no operation nothing")
    assert "Traceback" not in done.err


def test_a_failed_operation_is_opened_again(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", DELETE)
    bench.fail(bench.open()[0])

    done = bench.run("operations", "resume", "command-1")

    op = bench.memory.operation("command-1")
    assert done.code == 0
    assert op is not None
    assert op.phase.is_open
    assert [each.id for each in bench.memory.take_over("worker-1", 30 * SECOND, 10)] == [
        "command-1"
    ]


def test_what_has_succeeded_cannot_be_resumed(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)
    bench.succeed(bench.open()[0])

    done = bench.run("operations", "resume", "command-1")

    assert done.code == 1
    assert done.err.startswith("command-1 cannot be resumed: ")


def test_fail_marks_the_operation_for_its_owner(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)
    bench.open()

    done = bench.run("operations", "fail", "command-1")

    assert done.code == 0
    assert bench.memory.cancelled("worker-1")["command-1"].startswith("operator ")


def test_fail_of_a_finished_one_is_refused(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)
    bench.succeed(bench.open()[0])

    done = bench.run("operations", "fail", "command-1")

    assert done.code == 1
    assert "cannot be ended" in done.err


def test_instances_are_listed_with_their_manager(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)
    bench.succeed(bench.open()[0])

    done = bench.run("instances", "list", "-f", "csv", "--quote", "none")

    assert done.out.splitlines()[1] == "instance-1,NATIVES,active,project-1,2,5,1"


def test_an_instance_is_shown_with_its_resources(bench: Bench) -> None:
    bench.accept("command-1", "instance-1", CREATE)
    bench.succeed(bench.open()[0])

    found = json.loads(bench.run("instances", "show", "instance-1", "-f", "json").out)

    assert (found["server"], found["flavor"], found["volume_size"]) == ("server-1", "2", 5)


def test_an_unknown_instance_says_where_to_look(bench: Bench) -> None:
    done = bench.run("instances", "show", "instance-9")

    assert done.code == 1
    assert "operations list --instance instance-9" in done.err


def test_configuration_files_are_handed_on(bench: Bench) -> None:
    bench.run("--config-file", "a.conf", "--config-dir", "d", "operations", "list")

    assert bench.asked_with == ("--config-file=a.conf", "--config-dir=d")


def test_errors_go_to_a_log_file_too(bench: Bench, tmp_path: Path) -> None:
    bench.run("--log-file", str(tmp_path / "log"), "operations", "show", "nothing")

    assert "There is no operation nothing" in (tmp_path / "log").read_text()


def test_a_ledger_that_is_down_is_one_sentence() -> None:
    class Down(Bench):
        def ledger(self) -> Ledger:
            raise Unavailable("connection refused")

    done = Down().run("operations", "list")

    assert done.code == 1
    assert done.err == (
        "The ledger does not answer (connection refused): check [ledger] url with 'config check'.\n"
    )


def test_without_a_command_the_commands_are_named(bench: Bench) -> None:
    done = bench.run()

    assert done.code != 0
    assert "operations explain" in done.out
    assert "usage: trove-resources" in done.out


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1.25, "1.25s"),
        (59.9, "59.9s"),
        (185, "3m05s"),
        (7620, "2h07m"),
        (356_400, "4d03h"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert lasted(int(seconds * SECOND)) == text


def test_times_are_utc() -> None:
    assert when(START) == "2023-11-14T22:13:20Z"
    assert when(0) == ""


def test_phases_are_those_of_the_ledger(bench: Bench) -> None:
    assert bench.run("operations", "list", "--phase", "asleep").code == 2
    assert bench.run("operations", "list", "--phase", str(Phase.UNDO)).code == 0


@pytest.mark.parametrize("limit", ["0", "-3", "99999999999", "many"])
def test_a_limit_is_a_whole_number_from_one_on(bench: Bench, limit: str) -> None:
    assert bench.run("operations", "list", f"--limit={limit}").code == 2
