"""The ways out of every bad state of a stack, on a real Heat: one test per state."""
