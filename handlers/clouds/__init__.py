"""Adapters behind the `Cloud` protocol, one package or module per kind of cloud."""
