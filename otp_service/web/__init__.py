"""HTTP: what a request says, and what it is answered. Decides nothing about codes."""
