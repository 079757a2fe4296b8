"""The libraries' exceptions in our words: was the request sent, and why is there no answer?

keystoneauth calls a read time-out ConnectTimeout and a reset after sending ConnectFailure; what
really happened is only in the exception that it came from (keystoneauth1/session.py).
"""

import ssl
from collections.abc import Iterator

import keystoneauth1.exceptions as ksa
import requests.exceptions as rq
import urllib3.exceptions as u3
from openstack.exceptions import SDKException

from handlers.clouds.refusals import Trouble

_CREDENTIALS = (
    ksa.Unauthorized,
    ksa.Forbidden,
    ksa.AuthPluginException,
    ksa.AuthorizationFailure,
    ksa.NotFound,  # a project or domain that Keystone does not know
)
_CATALOGUE = (
    ksa.CatalogException,
    ksa.DiscoveryFailure,
    ksa.VersionNotAvailable,
    SDKException,  # openstacksdk says so of a service that it cannot find
)

#: The first that is found in the chain of causes decides; each is a kind of the next in urllib3.
_CAUSES: tuple[tuple[type[BaseException], Trouble], ...] = (
    (ssl.SSLCertVerificationError, Trouble.TLS),
    (u3.NameResolutionError, Trouble.DNS),
    (u3.NewConnectionError, Trouble.REFUSED),
    (u3.ConnectTimeoutError, Trouble.CONNECT_TIMEOUT),
    (rq.ConnectTimeout, Trouble.CONNECT_TIMEOUT),
    (rq.Timeout, Trouble.TIMEOUT),
    (u3.ReadTimeoutError, Trouble.TIMEOUT),
)


def trouble_of(error: BaseException) -> Trouble:
    """Why there was no answer. What is not known to be unsent counts as sent (RESET)."""
    if isinstance(error, _CREDENTIALS):
        return Trouble.CREDENTIALS
    if isinstance(error, _CATALOGUE):
        return Trouble.CATALOGUE
    chain = list(_chain(error))
    for cause, trouble in _CAUSES:
        if any(isinstance(link, cause) for link in chain):
            return trouble
    return Trouble.RESET


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it came from, and what urllib3 hides in `reason` and arguments."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        link = todo.pop()
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        todo += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
