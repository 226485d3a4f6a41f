"""What Prometheus reads at `/metrics`."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from otp_service.web.dependencies import dependencies_of


@dataclass(frozen=True)
class Scrape:
    families: list[Metric]

    @classmethod
    def of(cls, told: Flask | str) -> Scrape:
        """Of a text, or of what an application would answer; raises if it is not well formed."""
        text = told if isinstance(told, str) else dependencies_of(told).metrics.text().decode()
        return cls(list(text_string_to_metric_families(text)))

    def value(self, name: str, **labels: str) -> float | None:
        """The sum over all samples of this name with these labels; None if there are none."""
        found = [
            sample.value
            for family in self.families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def labels(self, name: str) -> set[str]:
        """All values of the label with this name."""
        samples = [sample for family in self.families for sample in family.samples]
        return {sample.labels[name] for sample in samples if name in sample.labels}
