"""The real run: worker processes that are killed while they work on a real OpenStack.

`python -m tests.real.run` does it; `make real` starts what it needs before.
"""
