"""Where verifications live: one method, one rule, one short transaction."""
