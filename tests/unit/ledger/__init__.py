"""The parts of the ledger, one by one."""
