"""Tables of values: no I/O, no patching."""
