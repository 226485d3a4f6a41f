"""Carrying a code to a phone: senders, one adapter a provider, and what comes back from them."""
