"""The page that a run writes."""

from __future__ import annotations

from bench import table, targets
from tests.bench.figures import results


def test_each_case_has_a_line_with_its_medians_and_its_share_of_the_floor() -> None:
    found = results(floor=[1000, 1000, 1000], check=[600, 500, 400])
    page = table.page(["two processors"], found, [])
    assert "| floor |  | 16 | 1,000 | 1.00 | 10.0 | 20.0 | 1.00 | 0.10 | 0 |" in page
    assert "| check | 1 | 16 | 500 | 0.50 | 10.0 | 20.0 | 1.00 | 0.10 | 0 |" in page
    assert "- two processors" in page


def test_floors_come_first() -> None:
    lines = table.page([], results(check=[1], floor=[1], cycle=[1]), []).splitlines()
    order = [line.split(" | ")[0] for line in lines if line.startswith(("| f", "| c"))]
    assert order == ["| floor", "| check", "| cycle"]


def test_a_target_is_met_or_missed() -> None:
    found = results(floor=[1000], check=[499])
    page = table.page([], found, targets.judge(found, "waitress"))
    assert "of the floor's rate | 0.50 | ≥ 0.5 | **missed** |" in page
    assert "| errors of all | 0.00 | ≤ 0 | met |" in page


def test_what_was_not_measured_has_no_table() -> None:
    found = results()
    assert "requests/s" not in table.page([], found, [])
    found.slow["silent: errors of checks"] = 0
    page = table.page([], found, [])
    assert "| silent: errors of checks | 0.0 |" in page
    assert "requests/s" not in page
