"""How Hypothesis tries requests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# One application serves all examples of a test: what they leave behind is part of the trial.
through_the_app = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
