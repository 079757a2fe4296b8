"""The ledger: the only state. Operations, records, locks, outbox and workers, in rows."""
