"""What Trove made before us: no role, and a volume that goes with its server."""

from handlers.resources import Kind
from tests.support.as_trove import Made, Trove
from tests.support.small_cloud import SUBJECT, SmallCloud


def _made(small: SmallCloud) -> Made:
    trove = Trove(small.state)
    volume = trove.volume(SUBJECT)
    small.wait(2)
    made = trove.instance(SUBJECT, volume, cidr="10.0.0.0/8")
    small.wait(5)
    return made


def test_instance_of_trove_carries_its_subject_and_no_role() -> None:
    small = SmallCloud()
    made = _made(small)
    for kind, one in (
        (Kind.SERVER, made.server),
        (Kind.VOLUME, made.volume),
        (Kind.PORT, made.port),
        (Kind.SECURITY_GROUP, made.group),
    ):
        (found,) = small.cloud.find(kind, [SUBJECT])
        assert (found.id, found.role) == (one, None)


def test_its_volume_goes_with_the_server_unless_that_is_changed() -> None:
    for doomed in (True, False):
        small = SmallCloud()
        made = _made(small)
        small.cloud.doom_volume(made.server, made.volume, doomed)
        small.cloud.delete_server(made.server)
        small.wait(5)
        left = small.cloud.get(Kind.VOLUME, [made.volume])
        assert bool(left) is not doomed
