"""`demo`: the real worker on a simulated OpenStack, in one process tree, without any service."""
