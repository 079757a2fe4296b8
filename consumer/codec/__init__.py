"""Bytes <-> commands and events: CloudEvents 1.0 in structured JSON, and the documents about it."""
