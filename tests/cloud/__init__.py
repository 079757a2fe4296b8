"""The conformance suite on a real OpenStack."""
