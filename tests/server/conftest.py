"""A server that a test starts as an operator does."""

from tests.server.processes import start

__all__ = ["start"]
