"""Fleet migrations, in virtual time."""
