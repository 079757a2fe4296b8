"""Heat, the orchestration service."""
