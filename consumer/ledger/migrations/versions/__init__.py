"""One module per migration. A migration is never changed once it is released."""
