"""Bringing in a fleet that Trove made: rows of a source are compared and become records."""
