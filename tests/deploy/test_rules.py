"""The rules as promtool sees them, and what they lead to."""

import re
import shutil
import subprocess

from tests.deploy.places import DOCS, PROMETHEUS, read_yaml
from tests.deploy.prometheus import needs_prometheus
from tests.deploy.queries import alerts

PARTS = ("**Patients.**", "**Look at.**", "**Do.**")
PROMTOOL = shutil.which("promtool") or "promtool"


@needs_prometheus
def test_rules_are_valid() -> None:
    """Prometheus loads every rule file as it is shipped."""
    files = sorted(str(path) for path in PROMETHEUS.glob("*.rules.yaml"))
    subprocess.run([PROMTOOL, "check", "rules", *files], check=True)


@needs_prometheus
def test_alerts_fire_and_keep_silent() -> None:
    """On staged series every alert fires when it should, and none when all is well."""
    subprocess.run([PROMTOOL, "test", "rules", str(PROMETHEUS / "alerts.test.yaml")], check=True)


@needs_prometheus
def test_the_scrape_configuration_is_valid() -> None:
    """The configuration that compose mounts is one that Prometheus takes, rules included."""
    subprocess.run([PROMTOOL, "check", "config", str(PROMETHEUS / "prometheus.yaml")], check=True)


def test_every_alert_is_seen_firing() -> None:
    """No alert ships that was never seen to fire on staged series."""
    fired = {
        (case["alertname"], expected["exp_labels"]["severity"], expected["exp_labels"].get("cause"))
        for test in read_yaml(PROMETHEUS / "alerts.test.yaml")["tests"]
        for case in test.get("alert_rule_test", ())
        for expected in case["exp_alerts"]
    }
    shipped = [(rule["alert"], rule["labels"]["severity"], rule["labels"].get("cause")) for rule in alerts()]
    assert (len(set(shipped)), set(shipped)) == (len(shipped), fired)


def test_every_alert_leads_to_its_runbook_section() -> None:
    """Who is woken finds a section that says what it means for patients, where to look and what to do."""
    runbook = (DOCS / "operations.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"(?ms)^### (\w+)\n(.*?)(?=^##|\Z)", runbook))
    for rule in alerts():
        name = rule["alert"]
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{name.lower()}"
        assert [part for part in PARTS if part not in sections[name]] == []
    assert {rule["alert"] for rule in alerts()} == {name for name in sections if name.startswith("Gate")}
