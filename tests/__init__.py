"""The tests, one directory per tier: see CONTRIBUTING.md."""
