"""Measurements that take minutes, so no part of `make test`. See README.md."""
