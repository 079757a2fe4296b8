"""Steps that all managers share, one module per kind of resource.

`ensure` and `remove` hold what the kinds have in common: find by identity, keep one, wait, delete.
"""
