"""Alert rules, their runbook, and the dashboard: they use metrics that exist, and Prometheus accepts them."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.programs import find_program

ROOT = Path(__file__).parents[3]
ALERTS, ALERTS_TEST = ROOT / "docker" / "alerts.yml", ROOT / "docker" / "alerts.test.yml"
DASHBOARD = ROOT / "docker" / "grafana-dashboard.json"
RULES: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
KNOWN = set(re.findall(r"^\| `(headwater_\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))


def targets() -> Iterator[tuple[str, str]]:
    """The title of each panel, and its expressions."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def unknown_metrics(expression: str) -> set[str]:
    used = set(re.findall(r"headwater_\w+", expression))
    return {name for name in used if not {name, re.sub("_(bucket|count|sum)$", "", name)} & KNOWN}


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = find_program("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_uses_known_metrics_and_says_what_is_wrong(rule: dict[str, Any]) -> None:
    assert unknown_metrics(rule["expr"]) == set()
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]


def test_the_runbook_has_a_section_for_each_alert() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    sections = re.findall(r"^## (\w+)\n\n`(page|ticket)`\. ", text, re.MULTILINE)
    assert sections == [(rule["alert"], rule["labels"]["severity"]) for rule in RULES]


def test_prometheus_accepts_the_rules_and_they_fire_when_they_should() -> None:
    checked = promtool("check", "rules", ALERTS)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = promtool("test", "rules", ALERTS_TEST)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize(("title", "expression"), [*targets()])
def test_a_panel_uses_known_metrics(title: str, expression: str) -> None:
    assert unknown_metrics(expression) == set()


def test_prometheus_accepts_the_expressions_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$stream", ".*")}
        for number, (_, expression) in enumerate(targets())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = promtool("check", "rules", file)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_panels_have_their_own_places() -> None:
    places = [panel["gridPos"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
