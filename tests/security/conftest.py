from __future__ import annotations

from tests.security.tour import made_tour

__all__ = ["made_tour"]  # a fixture, for the tests in this folder
