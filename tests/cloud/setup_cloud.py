"""Identity data, waiting for services, and seed data of the test cloud.

    setup_cloud.py identity|wait|seed

Runs in the test cloud's own virtual environment. Every step looks before it creates, so that each
can be run again.
"""

import os
import sys
import time
from pathlib import Path

import openstack
from openstack.connection import Connection
from openstack.exceptions import SDKException

ROOT = Path(os.environ.get("CLOUD_ROOT", "/opt/cloud"))
PASSWORD = os.environ.get("CLOUD_PASSWORD", "cloud")
AUTH_URL = "http://127.0.0.1:5000/v3"

# name, type, URL
SERVICES = [
    ("glance", "image", "http://127.0.0.1:9292"),
    ("placement", "placement", "http://127.0.0.1:8778"),
    ("nova", "compute", "http://127.0.0.1:8774/v2.1"),
    ("neutron", "network", "http://127.0.0.1:9696"),
    ("cinder", "block-storage", "http://127.0.0.1:8776/v3"),
    ("cinderv3", "volumev3", "http://127.0.0.1:8776/v3/%(project_id)s"),
    ("heat", "orchestration", "http://127.0.0.1:8004/v1/%(project_id)s"),
]
ROLES = ("member", "reader", "service", "heat_stack_owner", "heat_stack_user")
SERVICE_USERS = ("nova", "glance", "placement", "neutron", "cinder", "heat", "trove")
# name, RAM in MiB, VCPUs, disk in GiB
FLAVORS = [
    ("db.small", 512, 1, 5),
    ("db.medium", 1024, 2, 5),
    ("db.large", 2048, 4, 5),
    ("db.xlarge", 4096, 8, 5),
]
VOLUME_TYPES = {"fake-default": None, "fake-1": "fake1", "fake-2": "fake2"}

# entry of clouds.yaml, user, project; "trove" is the user of Trove's own processes, "demo" a
# tenant's user without admin rights
CLOUDS = [("admin", "admin", "admin"), ("trove", "trove", "service"), ("demo", "demo", "demo")]
CLOUD = """\
  {entry}:
    region_name: RegionOne
    identity_api_version: 3
    auth:
      auth_url: {url}
      username: {user}
      password: {password}
      project_name: {project}
      user_domain_name: Default
      project_domain_name: Default
"""


def connect() -> Connection:
    return openstack.connect(cloud="admin")


def identity() -> None:
    """clouds.yaml, roles, projects, users, Heat's domain and the catalogue."""
    entries = (
        CLOUD.format(entry=entry, user=user, project=project, url=AUTH_URL, password=PASSWORD)
        for entry, user, project in CLOUDS
    )
    (ROOT / "clouds.yaml").write_text("clouds:\n" + "".join(entries))
    connection = connect()
    make_users(connection)
    make_heat_domain(connection)
    make_catalogue(connection)


def make_users(connection: Connection) -> None:
    api = connection.identity
    roles = {role.name: role for role in api.roles()}
    for name in ROLES:
        roles[name] = roles.get(name) or api.create_role(name=name)
    projects = {project.name: project for project in api.projects()}
    for name in ("service", "demo"):
        projects[name] = projects.get(name) or api.create_project(name=name, domain_id="default")
    users = {user.name: user for user in api.users(domain_id="default")}
    for name in (*SERVICE_USERS, "demo"):
        users[name] = users.get(name) or api.create_user(
            name=name, password=PASSWORD, domain_id="default"
        )
    grants = [("service", name, role) for name in SERVICE_USERS for role in ("admin", "service")]
    grants += [("service", "trove", role) for role in ("member", "heat_stack_owner")]
    grants += [("demo", "demo", role) for role in ("member", "heat_stack_owner")]
    grants += [("admin", "admin", "heat_stack_owner")]
    for project, user, role in grants:
        api.assign_project_role_to_user(projects[project], users[user], roles[role])


def make_heat_domain(connection: Connection) -> None:
    """Heat's own domain, whose admin makes the users of stacks."""
    api = connection.identity
    domain = api.find_domain("heat") or api.create_domain(name="heat")
    admin = next(iter(api.users(domain_id=domain.id, name="heat_domain_admin")), None)
    if admin is None:
        admin = api.create_user(name="heat_domain_admin", password=PASSWORD, domain_id=domain.id)
    api.assign_domain_role_to_user(domain, admin, api.find_role("admin"))


def make_catalogue(connection: Connection) -> None:
    api = connection.identity
    services = {service.type: service for service in api.services()}
    have = {(endpoint.service_id, endpoint.interface) for endpoint in api.endpoints()}
    for name, kind, url in SERVICES:
        service = services.get(kind) or api.create_service(name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            if (service.id, interface) not in have:
                api.create_endpoint(
                    service_id=service.id, interface=interface, url=url, region_id="RegionOne"
                )


def wait(timeout: float = 180) -> None:
    """Until every scheduler, conductor, compute and volume service is up."""
    connection = connect()
    end = time.monotonic() + timeout
    trouble = "never asked"
    while time.monotonic() < end:
        try:
            absent = missing(connection)
        except SDKException as error:
            trouble = repr(error)
        else:
            if not absent:
                return
            trouble = str(sorted(absent))
        time.sleep(1)
    sys.exit(f"not up after {timeout:.0f} s: {trouble}")


def missing(connection: Connection) -> set[tuple[str, str]]:
    """The services, as (binary, host), that do not report as up."""
    wanted = {
        ("nova-conductor", "cloud"),
        ("nova-scheduler", "cloud"),
        ("nova-compute", "compute1"),
        ("nova-compute", "compute2"),
        ("cinder-scheduler", "cloud"),
        ("cinder-volume", "cloud@fake1"),
        ("cinder-volume", "cloud@fake2"),
        ("heat-engine", "*"),
    }
    up = {(s.binary, s.host) for s in connection.compute.services() if s.state == "up"}
    up |= {(s.binary, s.host) for s in connection.block_storage.services() if s.state == "up"}
    engines = connection.orchestration.get("/services").json().get("services", ())
    if any(engine["status"] == "up" for engine in engines):
        up.add(("heat-engine", "*"))
    return wanted - up


def seed() -> None:
    """Image, flavors, networks and volume types."""
    connection = connect()
    have = {flavor.name for flavor in connection.compute.flavors()}
    for number, (name, ram, vcpus, disk) in enumerate(FLAVORS, 1):
        if name not in have:
            connection.compute.create_flavor(
                name=name, ram=ram, vcpus=vcpus, disk=disk, id=str(number)
            )
    if not connection.image.find_image("db-image"):
        connection.create_image(
            "db-image",
            data=b"not an image\n" * 64,
            disk_format="raw",
            container_format="bare",
            visibility="public",
            validate_checksum=False,
        )
    make_networks(connection)
    have = {kind.name for kind in connection.block_storage.types()}
    for name, backend in VOLUME_TYPES.items():
        if name not in have:
            specs = {"volume_backend_name": backend} if backend else {}
            connection.block_storage.create_type(name=name, extra_specs=specs)


def make_networks(connection: Connection) -> None:
    """A shared network; and for floating IPs an external and a user network behind one router."""
    api = connection.network
    if not api.find_network("db-mgmt"):
        api.create_network(name="db-mgmt", is_shared=True)
    if not api.find_subnet("db-mgmt"):
        make_subnet(connection, "db-mgmt", "10.16.0.0/12", gateway_ip=None)
    if not api.find_network("public"):
        api.create_network(name="public", is_router_external=True)
        make_subnet(connection, "public", "172.30.0.0/16")
    if not api.find_network("db-user"):
        api.create_network(name="db-user", is_shared=True)
        subnet = make_subnet(connection, "db-user", "10.64.0.0/16")
        gateway = {"network_id": api.find_network("public").id}
        router = api.create_router(name="db-router", external_gateway_info=gateway)
        api.add_interface_to_router(router, subnet_id=subnet)


def make_subnet(connection: Connection, network: str, cidr: str, **more: str | None) -> str:
    """A subnet with the name of its network; returns its id."""
    api = connection.network
    subnet = api.create_subnet(
        name=network,
        network_id=api.find_network(network).id,
        ip_version=4,
        cidr=cidr,
        enable_dhcp=False,
        **more,
    )
    return str(subnet.id)


if __name__ == "__main__":
    {"identity": identity, "wait": wait, "seed": seed}[sys.argv[1]]()
