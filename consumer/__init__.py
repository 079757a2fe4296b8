"""How and when commands run: intake, ledger, reconciler, relay, and what people see of them."""
