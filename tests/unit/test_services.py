"""The rule for missing services."""

import pytest

from tests.support.services import Service, missing, need


def _refuse(url: str) -> None:
    raise ConnectionRefusedError(url)


ABSENT = Service("Quux", "TEST_QUUX_URL", "quux://nowhere", "start it with quuxd", _refuse)
PRESENT = Service("Quux", "TEST_QUUX_URL", "quux://here", "start it with quuxd", lambda url: None)


def test_a_service_that_answers_gives_its_url() -> None:
    assert need(PRESENT) == "quux://here"


def test_a_missing_service_skips_with_the_way_to_start_it() -> None:
    with pytest.raises(pytest.skip.Exception, match="Quux is needed: start it with quuxd"):
        need(ABSENT, ci=False)


def test_a_missing_service_fails_in_ci() -> None:
    with pytest.raises(pytest.fail.Exception, match="Quux is needed: start it with quuxd"):
        need(ABSENT, ci=True)


def test_the_sentence_carries_the_clients_own_error() -> None:
    with pytest.raises(pytest.fail.Exception, match="timed out"):
        missing(ABSENT, "TimeoutError: timed out", ci=True)
