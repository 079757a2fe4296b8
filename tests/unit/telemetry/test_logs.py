"""Log lines: their form, what they carry, and what never appears in one."""

import io
import json
import logging
from typing import Any

import pytest

from consumer.config.settings import Telemetry as TelemetrySettings
from consumer.telemetry.base import Telemetry
from consumer.telemetry.fanout import fan_out
from consumer.telemetry.journal import Journal
from consumer.telemetry.logs import Logs
from handlers.errors import Ambiguous, Reason
from handlers.operation import SECOND
from handlers.resources import Service
from handlers.secret import Secret
from tests.unit.telemetry.examples import COMMAND, FAILED, MOMENTS, OPEN, SUCCEEDED

WHO = {
    "command_id": "command-1",
    "instance_id": "instance-1",
    "operation": "instance.delete",
    "manager": "NATIVES",
}


class Written(io.StringIO):
    """A stream, and the lines that were written to it."""

    def __init__(self, terminal: bool = False) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


def journal(stream: Written, level: Any = "info", now: list[float] | None = None) -> Journal:
    logs = Logs(TelemetrySettings(log_level=level), stream)
    return Journal(logs.logger(), monotonic=lambda: now[0] if now else 0.0)


def test_off_a_terminal_a_line_is_one_json_object() -> None:
    out = Written()

    Logs(TelemetrySettings(), out).logger().info("hello", answer=42)

    (line,) = out.lines
    assert (line["event"], line["level"], line["answer"]) == ("hello", "info", 42)
    assert line["timestamp"].endswith("Z")


def test_on_a_terminal_a_line_is_text() -> None:
    out = Written(terminal=True)

    Logs(TelemetrySettings(), out).logger().info("hello", answer=42)

    assert "hello" in out.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(out.getvalue())


def test_what_is_below_the_level_is_not_written() -> None:
    out = Written()

    Logs(TelemetrySettings(log_level="warning"), out).logger().info("hello")

    assert out.getvalue() == ""


def test_libraries_come_out_in_the_same_form() -> None:
    out, root = Written(), logging.getLogger("tests.bridge")
    settings = TelemetrySettings(log_levels={"amqp": "debug"})
    Logs(settings, out, ["hunter22"]).bridge(root)

    root.info("not told")
    root.warning("%s is gone, password was hunter22", "amqp://trove:pa55@broker")

    (line,) = out.lines
    assert line["event"] == "amqp://trove:***@broker is gone, password was ***"
    assert line["level"] == "warning"


def test_an_error_carries_its_traceback_in_the_same_line() -> None:
    out = Written()

    journal(out).defect(OPEN, "server", ValueError("wrong, password=pa55word"))

    (line,) = out.lines
    assert "ValueError: wrong" in line["exception"]
    assert "pa55word" not in out.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_are_masked_wherever_they_stand(form: Any) -> None:
    out = Written()
    logger = Logs(TelemetrySettings(log_format=form), out, ["Zm9vYmFy-key"]).logger()

    logger.info(
        "connecting to mysql://trove:pl4nted@db",
        user_data="pl4nted",
        data={"admin_password": "pl4nted", "list": ["amqp://u:pl4nted@h", Secret("pl4nted")]},
        body='{"auth_token": "pl4nted"}',
        text="known Zm9vYmFy-key here",
    )

    assert "pl4nted" not in out.getvalue()
    assert "Zm9vYmFy-key" not in out.getvalue()
    assert "trove" in out.getvalue()


def test_every_line_about_an_operation_says_which() -> None:
    out = Written()
    told = journal(out, level="debug")

    for name in ("opened", "finished", "acted", "done", "fault", "defect", "stale"):
        MOMENTS[name](told)

    assert len(out.lines) == 7
    for line in out.lines:
        assert line.items() >= WHO.items()
    assert all(line["step"] == "port/user-0" for line in out.lines[2:6])


def test_an_act_carries_the_clouds_request_id() -> None:
    out = Written()
    op = OPEN.note(104 * SECOND, "called", "server", request_id="req-1")

    journal(out).acted(op, "server", 0.25)

    assert out.lines[0]["request_id"] == "req-1"


def test_a_failure_says_why_and_what_is_left() -> None:
    out = Written()

    journal(out).finished(FAILED)

    (line,) = out.lines
    assert line["level"] == "warning"
    assert (line["reason"], line["message"]) == ("quota", "Quota exceeded for cores")
    assert (line["request_id"], line["left_behind"]) == ("r-1", ["port port-1"])


def test_a_body_is_never_logged() -> None:
    out = Written()

    journal(out).received(COMMAND, "new")

    assert "project-1" not in out.getvalue()


def test_a_create_writes_few_lines() -> None:
    out = Written()
    told = journal(out)

    told.received(COMMAND, "new")
    told.opened(OPEN)
    for step in ("security-group", "rules", "port/user-0", "volume/data", "server"):
        told.acted(OPEN, step, 0.1)
    told.finished(SUCCEEDED)
    told.published("trove.resources.instance.create.end")

    assert len(out.lines) == 8


def test_a_service_that_is_down_is_told_of_seldom() -> None:
    out, now = Written(), [0.0]
    told = journal(out, now=now)

    for _ in range(100):
        told.look_failed(Service.COMPUTE, ValueError("503"))
    told.look_failed(Service.NETWORK, ValueError("503"))
    now[0] = 31
    told.look_failed(Service.COMPUTE, ValueError("503"))

    assert [line["service"] for line in out.lines] == ["compute", "network", "compute"]


def test_connections_are_told_of_when_they_change() -> None:
    out = Written()
    told = journal(out)

    for up in (True, True, False, False, True):
        told.broker_connected(up, "broker:5672")
        told.ledger_up(up)

    assert [line["event"] for line in out.lines] == [
        "broker connected",
        "broker lost",
        "ledger does not answer",
        "broker connected",
        "ledger is back",
    ]


def test_faults_are_named_by_their_kind() -> None:
    out = Written()

    journal(out).fault(OPEN, "server", Ambiguous("reset", Reason.UNAVAILABLE, request_id="r-9"))

    (line,) = out.lines
    assert (line["kind"], line["reason"], line["request_id"]) == ("ambiguous", "unavailable", "r-9")


def test_the_journal_takes_every_moment() -> None:
    told = journal(Written(), level="debug")

    for tell in MOMENTS.values():
        tell(told)


class Broken:
    def __getattr__(self, name: str) -> Any:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise OSError("no space left")

        return fail


def test_one_part_that_fails_does_not_keep_the_news_from_the_others() -> None:
    out = Written()
    both: Telemetry = fan_out(Broken(), journal(out))

    for tell in MOMENTS.values():
        tell(both)
    both.ledger_up(up=False)

    assert len(out.lines) > 10
    assert out.lines[-1]["event"] == "ledger does not answer"
