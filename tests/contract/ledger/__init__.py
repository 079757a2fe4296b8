"""What every ledger promises, held against all of them."""
