"""The one table from a cloud's refusal to a fault: what was answered, and what to do about it.

It knows no client library: an adapter says what happened as a `Refusal`. The first row that fits
decides. The texts are the services' own, measured on Nova 34, Cinder 29 and Neutron 29 (Heat's rows
are in heat_rows.py); they are only used to tell apart answers with the same status, and a text that
is no longer recognised falls into a more careful row.
"""

from handlers.clouds.heat_rows import HEAT
from handlers.clouds.lacking import ROWS as LACKING
from handlers.clouds.refusals import Effect, Refusal, Trouble
from handlers.clouds.row import LOOK, Row
from handlers.clouds.text import clean
from handlers.errors import Ambiguous, Fault, Reason, Retryable, Terminal

_MAKE = frozenset({Effect.MAKE})
_CHANGE = frozenset({Effect.CHANGE})
_REMOVE = frozenset({Effect.REMOVE})

_NEVER_SENT = (
    Row(
        why="no token could be had, so nothing was sent",
        troubles=frozenset({Trouble.CREDENTIALS}),
        fault=Retryable,
        reason=Reason.CREDENTIALS,
    ),
    Row(
        why="there was no connection, so nothing was sent",
        troubles=frozenset(
            {
                Trouble.REFUSED,
                Trouble.DNS,
                Trouble.CONNECT_TIMEOUT,
                Trouble.TLS,
                Trouble.CATALOGUE,
            }
        ),
        fault=Retryable,
        reason=Reason.UNAVAILABLE,
    ),
)

_LOOK_UPS = (
    Row(
        why="the credentials may not look: an operator can give them the right",
        statuses=frozenset({401, 403}),
        effects=LOOK,
        fault=Retryable,
        reason=Reason.CREDENTIALS,
    ),
    Row(
        why="a look-up has no effect, whatever became of it",
        troubles=frozenset({Trouble.TIMEOUT, Trouble.RESET}),
        effects=LOOK,
        fault=Retryable,
        reason=Reason.UNAVAILABLE,
    ),
    Row(
        why="a proxy, a rate limit or the service itself is out of order",
        statuses=frozenset({408, 425, 429, 502, 503, 504}),
        effects=LOOK,
        fault=Retryable,
        reason=Reason.UNAVAILABLE,
    ),
    Row(
        why="a look-up has no effect, whatever was answered",
        effects=LOOK,
        fault=Retryable,
        reason=Reason.CLOUD_ERROR,
    ),
)

_QUOTAS = (
    Row(
        why="Nova says quota with 403 ('Maximum number of ports exceeded')",
        statuses=frozenset({403}),
        text=r"quota|exceeded|too many",
        fault=Terminal,
        reason=Reason.QUOTA,
    ),
    Row(
        why="Cinder says quota with 413 (overLimit)",
        statuses=frozenset({413}),
        text=r"quota|LimitExceeded|overLimit",
        fault=Terminal,
        reason=Reason.QUOTA,
    ),
    Row(
        why="Neutron says quota with 409 (OverQuota)",
        statuses=frozenset({409}),
        text=r"\bOverQuota\b|quota exceeded",
        fault=Terminal,
        reason=Reason.QUOTA,
    ),
)

_ALREADY = (
    Row(
        why="the rule is there: perhaps from a call of ours whose answer was lost",
        statuses=frozenset({409}),
        text=r"SecurityGroupRuleExists|rule already exists",
        fault=Ambiguous,
        reason=Reason.REFUSED,
    ),
    Row(
        why="the call names a rule twice: none was made, and none ever will be",
        statuses=frozenset({409}),
        text=r"DuplicateSecurityGroupRuleInPost",
        fault=Terminal,
        reason=Reason.REFUSED,
    ),
    Row(
        why="the address belongs to another port, and no port of ours was found before the call",
        statuses=frozenset({409}),
        effects=_MAKE,
        text=r"IpAddressInUse|IpAddressAlreadyAllocated",
        fault=Terminal,
        reason=Reason.REFUSED,
    ),
    Row(
        why="the subnet has no free address: the network's operator has to act",
        statuses=frozenset({409}),
        effects=_MAKE,
        text=r"IpAddressGenerationFailure|No more IP addresses",
        fault=Terminal,
        reason=Reason.CLOUD_ERROR,
    ),
    Row(
        why="port or volume is taken: perhaps by a server of ours whose answer was lost",
        service="compute",
        statuses=frozenset({400, 409}),
        effects=_MAKE,
        text=r"still in use|already in use|Invalid volume: .*status must be",
        fault=Ambiguous,
        reason=Reason.REFUSED,
    ),
    Row(
        why="the server is in another state: perhaps in the wanted one already",
        service="compute",
        statuses=frozenset({409}),
        effects=_CHANGE,
        fault=Ambiguous,
        reason=Reason.REFUSED,
    ),
    Row(
        why="the flavor is the wanted one, or the resize was confirmed or reverted already",
        service="compute",
        statuses=frozenset({400}),
        effects=_CHANGE,
        text=r"must change flavor|has not been resized",
        fault=Ambiguous,
        reason=Reason.REFUSED,
    ),
    Row(
        why="the volume is being extended, or has the wanted size already",
        service="block_storage",
        statuses=frozenset({400}),
        effects=_CHANGE,
        text=r"status must be|must be greater than current size",
        fault=Ambiguous,
        reason=Reason.REFUSED,
    ),
    Row(
        why="the volume is still attached, or being deleted: Cinder says busy with 400",
        service="block_storage",
        statuses=frozenset({400}),
        effects=_REMOVE,
        text=r"status must be|still attached",
        fault=Retryable,
        reason=Reason.REFUSED,
    ),
    Row(
        why="busy or in use: nothing was done, later it may be free",
        statuses=frozenset({409}),
        fault=Retryable,
        reason=Reason.REFUSED,
    ),
)

_REFUSED = (
    Row(
        why="the token was refused, and so was a new one",
        statuses=frozenset({401}),
        fault=Retryable,
        reason=Reason.CREDENTIALS,
    ),
    Row(
        why="the service says that what the call names is not there",
        statuses=frozenset({404}),
        own=True,
        fault=Terminal,
        reason=Reason.NOT_FOUND,
    ),
    Row(
        why="Nova says so with 400 for a flavor, an image or a port",
        statuses=frozenset({400}),
        text=r"could not be found|does not exist|Can not find",
        fault=Terminal,
        reason=Reason.NOT_FOUND,
    ),
    Row(
        why="rate limit: refused before anything was done",
        statuses=frozenset({425, 429}),
        fault=Retryable,
        reason=Reason.UNAVAILABLE,
    ),
    Row(
        why="the request is wrong for this cloud: it was checked before anything was done",
        statuses=frozenset({400, 403, 405, 406, 410, 411, 412, 413, 414, 415, 416, 422, 431, 501}),
        fault=Terminal,
        reason=Reason.REFUSED,
    ),
)

_IN_DOUBT = (
    Row(
        why="sent, and the answer was lost or late",
        troubles=frozenset({Trouble.TIMEOUT, Trouble.RESET}),
        fault=Ambiguous,
        reason=Reason.UNAVAILABLE,
    ),
    # 503 too: a proxy says it before it hands the request on, but a service may say it in the
    # middle of its work (its database or Keystone went away). To look costs the quiet time; to
    # take it for nothing done could cost a second server.
    Row(
        why="a proxy or the service gave up: the request may have been carried out",
        statuses=frozenset({408, 502, 503, 504}),
        fault=Ambiguous,
        reason=Reason.UNAVAILABLE,
    ),
    Row(
        why="nobody knows what was done",
        fault=Ambiguous,
        reason=Reason.CLOUD_ERROR,
    ),
)

TABLE: tuple[Row, ...] = (
    _NEVER_SENT + LACKING + HEAT + _LOOK_UPS + _QUOTAS + _ALREADY + _REFUSED + _IN_DOUBT
)


def fault_of(refusal: Refusal) -> Fault:
    """The fault to raise; its message is the cloud's own text, masked and truncated."""
    row = next(row for row in TABLE if row.fits(refusal))
    text = clean(refusal.text) or row.why
    if row.explains and refusal.text:
        text = f"{row.why} ({text})"
    return row.fault(text, row.reason, service=refusal.service, request_id=refusal.request_id)
