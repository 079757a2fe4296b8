"""The rules of the house, checked: what CONTRIBUTING.md asks for."""
