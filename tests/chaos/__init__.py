"""Crashes, faults and duplicates at every boundary, in virtual time."""
