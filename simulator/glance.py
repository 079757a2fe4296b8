"""Glance v2: images to look at."""

from typing import Any

from handlers.clouds.memory.settings import Image
from handlers.clouds.memory.state import CloudState
from simulator.wire import Incoming, Reply, Route

_DATE = "2025-01-01T00:00:00Z"


class Glance:
    """The images of the state's catalogue."""

    def __init__(self, state: CloudState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/image/", self._versions, public=True),
            Route("GET", "/image/v2/images", self._list),
            Route("GET", "/image/v2/images/<id>", self._show),
        ]

    def _versions(self, request: Incoming) -> Reply:
        links = [{"rel": "self", "href": f"{request.root}/image/v2/"}]
        known = [
            {"id": name, "status": status, "links": links}
            for name, status in (("v2.17", "CURRENT"), ("v2.0", "SUPPORTED"))
        ]
        return Reply(status=300, body={"versions": known})

    def _list(self, request: Incoming) -> Reply:
        name = request.wanted("name")
        found = [_image(one) for one in self._state.catalogue.images if name in (None, one.name)]
        body = {"images": found, "first": "/v2/images", "schema": "/v2/schemas/images"}
        return Reply(body=body)

    def _show(self, request: Incoming) -> Reply:
        for one in self._state.catalogue.images:
            if one.id == request.args["id"]:
                return Reply(body=_image(one))
        text = f"404 Not Found\n\nFailed to find image {request.args['id']}\n\n   ".encode()
        return Reply(status=404, body=text, headers={"Content-Type": "text/plain"})


def _image(image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "name": image.name,
        "status": "active",
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": "public",
        "size": 832,
        "min_ram": 0,
        "min_disk": 0,
        "protected": False,
        "os_hidden": False,
        "tags": [],
        "created_at": _DATE,
        "updated_at": _DATE,
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }
