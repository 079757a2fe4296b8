"""`migrate …`: moving a whole fleet."""
