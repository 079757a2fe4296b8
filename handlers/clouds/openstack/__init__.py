"""The adapter to a real OpenStack: the only user of openstacksdk and keystoneauth."""

from handlers.clouds.openstack.check import Finding, check
from handlers.clouds.openstack.cloud import OpenStackCloud
from handlers.clouds.openstack.clouds import OpenStackClouds, Place
from handlers.clouds.openstack.limits import Limits

__all__ = ["Finding", "Limits", "OpenStackCloud", "OpenStackClouds", "Place", "check"]
