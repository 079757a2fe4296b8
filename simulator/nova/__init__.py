"""Nova, the compute service."""
