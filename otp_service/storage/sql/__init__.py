"""Statements: each operation on verifications, messages, limits and the audit trail."""
