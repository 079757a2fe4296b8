"""A small OpenStack over HTTP: for the demo, wire-level fault tests and benchmarks."""
