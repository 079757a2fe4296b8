"""Collaborators that tests inject: services, databases, fakes."""
