"""The pages for operators: what they name exists."""

import re
from pathlib import Path

import pytest

from gatekeeper.policy import load_policy, parse_policy
from gatekeeper.policy.model import CHECKS
from gatekeeper.settings import POLICIES
from tests.deploy.places import DOCS, REPOSITORY
from tests.deploy.queries import alerts

PAGES = (REPOSITORY / "README.md", *sorted(DOCS.glob("*.md")))
HAZARDS = (DOCS / "hazards.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in HAZARDS.splitlines()
    if re.match(r"\| H\d+ \|", line)
]


def test_hazards_are_numbered_without_gaps() -> None:
    """A hazard keeps its number, and none was dropped on the way."""
    assert [row[0] for row in ROWS] == [f"H{number}" for number in range(1, len(ROWS) + 1)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_hazard_is_met_by_what_exists(row: list[str]) -> None:
    """Its tests can be run, and its alerts ring."""
    *_, alert, tests = row
    named = re.findall(r"`([^`:]+)::(\w+)`", tests)
    assert named
    for path, name in named:
        assert re.search(rf"(?m)^(?:async )?def {name}\(", (REPOSITORY / path).read_text(encoding="utf-8"))
    assert alert == "none" or set(re.findall(r"`(\w+)`", alert)) <= {rule["alert"] for rule in alerts()}


def test_hazards_without_an_alert_are_owned_up_to() -> None:
    """The page's list of hazards that nobody is woken for is the whole list."""
    (told,) = re.findall(r"(?m)^- (H[\dH, and]+) have no alert", HAZARDS)
    assert re.findall(r"H\d+", told) == [row[0] for row in ROWS if row[-2] == "none"]


def test_every_check_and_alert_meets_a_hazard() -> None:
    """Nothing is checked or rung for that the log gives no reason for."""
    assert [check for check in CHECKS if f"`{check}`" not in HAZARDS] == []
    assert [rule["alert"] for rule in alerts() if f"`{rule['alert']}`" not in HAZARDS] == []


def test_rules_that_hazards_name_are_shipped() -> None:
    """The rules that stand against a hazard are in the default policy."""
    shipped = {rule.id for rule in load_policy(POLICIES / "default.yaml").policy.rules}
    controls = " ".join(row[3] for row in ROWS)
    named = {
        name for rules in re.findall(r"rules? ((?:`[\w-]+`(?:, )?)+)", controls) for name in _words(rules)
    }
    assert named
    assert named <= shipped


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """No page sends its reader to a file or section that is not there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in _anchors(found), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_policies_on_a_page_are_policies(page: Path) -> None:
    """Whoever copies a whole policy from a page has one that loads."""
    for block in re.findall(r"(?ms)^```yaml\n(name: .*?)^```", page.read_text(encoding="utf-8")):
        parse_policy(block, source=page.name)


def test_the_walk_through_shows_what_the_shipped_report_says() -> None:
    """The gate's page shows the figures that the recorded report of the default policy has."""
    report = (POLICIES / "reports" / "default.extractive.md").read_text(encoding="utf-8")
    shown = [line.split() for line in (DOCS / "gate.md").read_text(encoding="utf-8").splitlines()]
    rows = [
        line.replace("|", " ").split() for line in report.splitlines() if re.match(r"\| \w+_\w+ \|", line)
    ]
    assert rows
    assert [row for row in rows if row not in shown] == []


def _words(text: str) -> list[str]:
    return re.findall(r"`([\w-]+)`", text)


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
