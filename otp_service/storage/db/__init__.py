"""Engines, connections, deadlines, transactions: how a database is reached."""
