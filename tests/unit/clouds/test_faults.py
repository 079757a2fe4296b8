"""The table of faults: every row, by an answer that a service was seen to give."""

import pytest

from handlers.clouds.faults import TABLE, fault_of
from handlers.clouds.refusals import Effect, Refusal, Trouble
from handlers.clouds.row import Row
from handlers.clouds.text import TEXT_LIMIT, clean
from handlers.errors import Ambiguous, Reason, Retryable, Terminal
from tests.unit.clouds.cases import CHANGE, LOOK, MAKE, MUTATING, REMOVE, Case
from tests.unit.clouds.heat_answers import HEAT_CASES, NO_MESSAGE


def _never_sent(trouble: Trouble) -> Case:
    return Case((LOOK, *MUTATING), Retryable, Reason.UNAVAILABLE, trouble=trouble)


CASES = {
    # -- nothing was sent
    "no token": Case((LOOK, *MUTATING), Retryable, Reason.CREDENTIALS, trouble=Trouble.CREDENTIALS),
    "connection refused": _never_sent(Trouble.REFUSED),
    "name not resolved": _never_sent(Trouble.DNS),
    "connect time-out": _never_sent(Trouble.CONNECT_TIMEOUT),
    "certificate refused": _never_sent(Trouble.TLS),
    "not in the catalogue": _never_sent(Trouble.CATALOGUE),
    # -- look-ups
    "look without rights": Case((LOOK,), Retryable, Reason.CREDENTIALS, 403),
    "look with a dead token": Case((LOOK,), Retryable, Reason.CREDENTIALS, 401),
    "look timed out": Case((LOOK,), Retryable, Reason.UNAVAILABLE, trouble=Trouble.TIMEOUT),
    "look reset": Case((LOOK,), Retryable, Reason.UNAVAILABLE, trouble=Trouble.RESET),
    "look at a proxy": Case((LOOK,), Retryable, Reason.UNAVAILABLE, 502, own=False),
    "look, 404 of a proxy": Case((LOOK,), Retryable, Reason.CLOUD_ERROR, 404, own=False),
    "look, 500": Case((LOOK,), Retryable, Reason.CLOUD_ERROR, 500),
    "look, 400": Case((LOOK,), Retryable, Reason.CLOUD_ERROR, 400),
    "look, garbled": Case((LOOK,), Retryable, Reason.CLOUD_ERROR, trouble=Trouble.GARBLED),
    # -- what a cloud lacks
    "nova before Ussuri": Case(
        (CHANGE,),
        Terminal,
        Reason.UNSUPPORTED,
        406,
        text="Version 2.85 is not supported by the API. Minimum is 2.1 and maximum is 2.79.",
    ),
    # -- quota
    "nova quota": Case(
        (MAKE, CHANGE), Terminal, Reason.QUOTA, 403, text="Quota exceeded for cores: Requested 8"
    ),
    "nova port quota": Case(
        (MAKE,), Terminal, Reason.QUOTA, 403, text="Maximum number of ports exceeded"
    ),
    "cinder quota": Case(
        (MAKE, CHANGE),
        Terminal,
        Reason.QUOTA,
        413,
        text="VolumeSizeExceedsAvailableQuota: Requested volume exceeds allowed gigabytes quota.",
        code="overLimit",
        service="block_storage",
    ),
    "neutron quota": Case(
        (MAKE,),
        Terminal,
        Reason.QUOTA,
        409,
        text="Quota exceeded for resources: ['port'].",
        code="OverQuota",
        service="network",
    ),
    # -- perhaps done already
    "rule exists": Case(
        (MAKE,),
        Ambiguous,
        Reason.REFUSED,
        409,
        text="Security group rule already exists. Rule id is 7642eeb6.",
        code="SecurityGroupRuleExists",
        service="network",
    ),
    "rule twice in one call": Case(
        (MAKE,),
        Terminal,
        Reason.REFUSED,
        409,
        code="DuplicateSecurityGroupRuleInPost",
        service="network",
    ),
    "address taken": Case(
        (MAKE,), Terminal, Reason.REFUSED, 409, code="IpAddressAlreadyAllocated", service="network"
    ),
    "no address left": Case(
        (MAKE,),
        Terminal,
        Reason.CLOUD_ERROR,
        409,
        text="No more IP addresses available on network d118.",
        code="IpAddressGenerationFailure",
        service="network",
    ),
    "port in use": Case((MAKE,), Ambiguous, Reason.REFUSED, 409, text="Port 7433 is still in use."),
    "volume reserved": Case(
        (MAKE,),
        Ambiguous,
        Reason.REFUSED,
        400,
        text="Invalid volume: Volume 8728 status must be available or downloading to reserve, but "
        "the current status is reserved.",
    ),
    "other state": Case(
        (CHANGE,),
        Ambiguous,
        Reason.REFUSED,
        409,
        text="Cannot 'confirmResize' instance 2082 while it is in vm_state active",
    ),
    "same flavor": Case(
        (CHANGE,),
        Ambiguous,
        Reason.REFUSED,
        400,
        text="When resizing, instances must change flavor!",
    ),
    "confirmed already": Case(
        (CHANGE,), Ambiguous, Reason.REFUSED, 400, text="Instance has not been resized."
    ),
    "extending": Case(
        (CHANGE,),
        Ambiguous,
        Reason.REFUSED,
        400,
        text="Invalid volume: Volume 8728 status must be '{'status': 'available'}' to extend, "
        "currently extending.",
        service="block_storage",
    ),
    "size reached": Case(
        (CHANGE,),
        Ambiguous,
        Reason.REFUSED,
        400,
        text="Invalid input received: New size for extend must be greater than current size.",
        service="block_storage",
    ),
    # -- busy
    "volume attached": Case(
        (REMOVE,),
        Retryable,
        Reason.REFUSED,
        400,
        text="Invalid volume: Volume status must be available or error or error_restoring",
        service="block_storage",
    ),
    "group in use": Case(
        (REMOVE,),
        Retryable,
        Reason.REFUSED,
        409,
        text="Security Group dd21 in use.",
        code="SecurityGroupInUse",
        service="network",
    ),
    "server busy": Case(
        (REMOVE,), Retryable, Reason.REFUSED, 409, text="while it is in task_state"
    ),
    # -- refused
    "token refused twice": Case(MUTATING, Retryable, Reason.CREDENTIALS, 401),
    "not there": Case((MAKE, CHANGE), Terminal, Reason.NOT_FOUND, 404),
    "flavor not there": Case(
        (MAKE, CHANGE), Terminal, Reason.NOT_FOUND, 400, text="Flavor nope could not be found."
    ),
    "image not there": Case(
        (MAKE,), Terminal, Reason.NOT_FOUND, 400, text="Can not find requested image"
    ),
    "rate limit": Case(MUTATING, Retryable, Reason.UNAVAILABLE, 429, own=False),
    "bad request": Case(
        (MAKE,), Terminal, Reason.REFUSED, 400, text="Availability zone 'nope' is invalid."
    ),
    "no right": Case(
        (CHANGE,), Terminal, Reason.REFUSED, 403, text="Policy doesn't allow reset_state"
    ),
    "microversion too high": Case((MAKE,), Terminal, Reason.REFUSED, 406),
    "body too large": Case((MAKE,), Terminal, Reason.REFUSED, 413, text="Request is too large."),
    "not implemented": Case((CHANGE,), Terminal, Reason.REFUSED, 501),
    # -- in doubt
    "answer late": Case(MUTATING, Ambiguous, Reason.UNAVAILABLE, trouble=Trouble.TIMEOUT),
    "answer lost": Case(MUTATING, Ambiguous, Reason.UNAVAILABLE, trouble=Trouble.RESET),
    "bad gateway": Case(MUTATING, Ambiguous, Reason.UNAVAILABLE, 502, own=False),
    "unavailable": Case(MUTATING, Ambiguous, Reason.UNAVAILABLE, 503),
    "gateway time-out": Case(MUTATING, Ambiguous, Reason.UNAVAILABLE, 504, own=False),
    "server error": Case(MUTATING, Ambiguous, Reason.CLOUD_ERROR, 500),
    "404 of a proxy": Case(MUTATING, Ambiguous, Reason.CLOUD_ERROR, 404, own=False),
    "garbled": Case(MUTATING, Ambiguous, Reason.CLOUD_ERROR, trouble=Trouble.GARBLED),
    "redirect": Case(MUTATING, Ambiguous, Reason.CLOUD_ERROR, 300),
}
CASES |= {f"heat: {name}": case for name, case in HEAT_CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_answer_becomes_the_fault_that_names_its_remedy(name: str) -> None:
    case = CASES[name]
    for refusal in case.refusals():
        fault = fault_of(refusal)
        assert (type(fault), fault.reason) == (case.fault, case.reason), refusal
        assert fault.service == case.service
        assert fault.request_id == "req-1"
        assert fault.message


def _row(refusal: Refusal) -> Row:
    return next(row for row in TABLE if row.fits(refusal))


def test_every_row_decides_a_case() -> None:
    hit = {id(_row(refusal)) for case in CASES.values() for refusal in case.refusals()}
    assert [row.why for row in TABLE if id(row) not in hit] == []


def test_look_ups_are_only_ever_retryable() -> None:
    for status in range(300, 600):
        for own in (True, False):
            refusal = Refusal(service="compute", effect=LOOK, status=status, own=own)
            assert isinstance(fault_of(refusal), Retryable), status


@pytest.mark.parametrize("effect", MUTATING)
def test_no_server_error_counts_as_nothing_done(effect: Effect) -> None:
    for status in range(500, 600):
        fault = fault_of(Refusal(service="compute", effect=effect, status=status))
        assert isinstance(fault, Ambiguous) or status == 501, status


def test_unknown_text_of_a_known_status_is_refused() -> None:
    refusal = Refusal(service="compute", effect=MAKE, status=400, text="something new")
    assert isinstance(fault_of(refusal), Terminal)


def test_cloud_text_is_kept() -> None:
    text = "Availability zone 'nope' is invalid."
    assert fault_of(CASES["bad request"].refusals()[0]).message == text


def test_text_that_tells_nobody_what_to_do_is_explained() -> None:
    (refusal, *_) = HEAT_CASES["call without an engine"].refusals()
    assert fault_of(refusal).message.startswith("no engine of Heat answers its API: ")
    assert fault_of(refusal).message.endswith(f"({NO_MESSAGE})")


def test_missing_text_is_replaced_by_what_the_row_says() -> None:
    fault = fault_of(Refusal(service="compute", effect=MAKE, trouble=Trouble.RESET))
    assert fault.message == "sent, and the answer was lost or late"


def test_passwords_are_masked() -> None:
    text = clean("bad: {'adminPass': 'hunter2', 'auth': {\"password\": \"hunter2\"}}")
    assert "hunter2" not in text


def test_echo_of_user_data_is_cut() -> None:
    text = "Invalid input for field/attribute user_data. Value: aHVudGVyMg==. 'aHVudGVyMg==' is"
    assert clean(text) == "Invalid input for field/attribute user_data. Value: ***"


def test_user_data_in_the_echo_of_a_whole_server_is_cut() -> None:
    text = "attribute server. Value: {'name': 'db', 'user_data': 'aHVudGVyMg==', 'tags': []}. Extra"
    assert clean(text) == text.replace("aHVudGVyMg==", "***")


def test_long_text_is_truncated() -> None:
    text = clean("x" * 100_000)
    assert len(text) == TEXT_LIMIT
    assert text.endswith("…")
