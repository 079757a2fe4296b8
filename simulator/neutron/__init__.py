"""Neutron, the network service."""
