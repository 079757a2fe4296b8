"""Moving a whole fleet: plans, and the conductor that carries them out. It only writes commands."""
