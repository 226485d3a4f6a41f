"""The browser's fixtures, for every test in this folder."""

from tests.e2e.browser import browser, page, watch

__all__ = ["browser", "page", "watch"]
