"""The simulator as a place: our adapter over real HTTP, in hurried real time."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from msgspec.structs import replace

from consumer.config import Settings
from handlers.clouds.memory import CloudState, Times
from simulator import clouds_yaml, running
from tests.contract.managers.http import HttpPlace
from tests.contract.managers.project import HttpProject
from tests.contract.managers.state import StateFaults, site_of
from tests.contract.managers.trove import HttpTrove

#: A tenth of what the real services take, and as often looked at; Heat tries again without a pause.
_HURRY = 0.1
_TICK = 0.05
_RETRY = (0.01, 0.02)

#: Seconds that a call may last, that its connection may take, that its effect may stay unseen.
_TIMEOUT, _CONNECT, _LAG = 3.0, 1.0, 1.0


@contextmanager
def simulator() -> Iterator[HttpPlace]:
    """A simulator of its own; `demo` stands for a project that is nobody's business."""
    state = CloudState(times=_hurried())
    with running(state) as url, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clouds.yaml"
        file.write_text(yaml.safe_dump(clouds_yaml(url)))
        project, other = (HttpProject(str(file), name) for name in ("trove", "demo"))
        site = site_of(state)
        place = HttpPlace(
            "simulator",
            file=str(file),
            entry="trove",
            project=project,
            site=site,
            trove=HttpTrove(project, other, site),
            faults=StateFaults(state),
            tick=_TICK,
            adjust=_impatient,
        )
        yield place
        place.close()
        left = project.look()
        assert not left.ids, f"left in the cloud: {left}"


def _hurried() -> Times:
    slow = Times()
    times = {
        name: tuple(seconds * _HURRY for seconds in getattr(slow, name))
        for name in slow.__struct_fields__
    }
    return Times(**{**times, "heat_retry": _RETRY})


def _impatient(settings: Settings) -> Settings:
    """An answer that is in doubt is waited out for seconds, not for minutes."""
    services = (
        "compute_timeout",
        "block_storage_timeout",
        "network_timeout",
        "orchestration_timeout",
    )
    timeouts = dict.fromkeys(services, _TIMEOUT)
    clouds = replace(settings.clouds, connect_timeout=_CONNECT, list_lag=_LAG, **timeouts)
    return replace(settings, clouds=clouds)
