"""Is this cloud fit for us? For `config check` and the start of a worker."""

from collections.abc import Callable, Iterator
from time import sleep

import msgspec

from handlers.clouds.openstack import block_storage, compute
from handlers.clouds.openstack.cloud import OpenStackCloud
from handlers.clouds.openstack.link import TYPES
from handlers.clouds.openstack.rehearsal import rehearse
from handlers.errors import Fault
from handlers.resources import Kind, Service

_NEEDED = {
    Service.COMPUTE: compute.WRITE,
    Service.BLOCK_STORAGE: block_storage.VERSION,
}
_LOOK = {
    Service.COMPUTE: Kind.SERVER,
    Service.BLOCK_STORAGE: Kind.VOLUME,
    Service.NETWORK: Kind.PORT,
    Service.ORCHESTRATION: Kind.STACK,
}
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; `text` says what was found and, when not ok, what to do."""

    name: str
    ok: bool
    text: str


def check(
    cloud: OpenStackCloud, *, orchestration: bool = False, pause: Callable[[float], None] = sleep
) -> tuple[Finding, ...]:
    """Token, catalogue, microversions, and one look-up per service; raises nothing.

    `orchestration`: Heat is needed too. An empty stack is made and deleted again, because nothing
    else proves that Heat can make a trust with these credentials.
    """
    name = cloud.link.name
    try:
        ready = cloud.link.ready()
        cloud.link.token()
    except Fault as fault:
        return (Finding(f"{name} identity", ok=False, text=fault.message),)
    found = [Finding(f"{name} identity", ok=True, text=f"token for project {ready.project}")]
    for service in TYPES:
        found.append(_version(name, service, ready.microversions[service]))
        found.append(_answers(name, service, cloud))
    if orchestration:
        found += _stacks(name, cloud, pause)
    return tuple(found)


def _stacks(name: str, cloud: OpenStackCloud, pause: Callable[[float], None]) -> Iterator[Finding]:
    answers = _answers(name, Service.ORCHESTRATION, cloud)
    yield answers
    if not answers.ok:
        return
    label = f"{name} orchestration makes stacks"
    try:
        stack = rehearse(cloud.stacks, pause)
    except Fault as fault:
        yield Finding(label, ok=False, text=f"{fault.message}; Heat's own log may tell more")
        return
    yield Finding(label, ok=True, text=f"stack {stack.name} was made and deleted")


def _version(name: str, service: Service, have: tuple[int, ...]) -> Finding:
    label = f"{name} {service.value} version"
    need = _NEEDED.get(service)
    if need is None:
        return Finding(label, ok=True, text="no microversion needed")
    shown = ".".join(map(str, have))
    if have >= tuple(map(int, need.split("."))):
        return Finding(label, ok=True, text=f"microversion {shown}, needs {need}")
    text = f"microversion {shown} is below {need}: upgrade the service or use another cloud"
    return Finding(label, ok=False, text=text)


def _answers(name: str, service: Service, cloud: OpenStackCloud) -> Finding:
    label = f"{name} {service.value} answers"
    try:
        cloud.find(_LOOK[service], [_NOBODY])
    except Fault as fault:
        return Finding(label, ok=False, text=f"{fault.message} (check its endpoint and the roles)")
    return Finding(label, ok=True, text="a look-up was answered")
