"""The worker's configuration: one file in etc/, an environment that wins, frozen settings."""

from consumer.config.loading import Misconfigured, load
from consumer.config.options import list_opts
from consumer.config.settings import Settings

__all__ = ["Misconfigured", "Settings", "list_opts", "load"]
