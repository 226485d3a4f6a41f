"""The signed proof of a success, and the keys that sign it."""
