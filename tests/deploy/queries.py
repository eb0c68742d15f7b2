"""Every query that the shipped rules and dashboards ask."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from tests.deploy.places import DEPLOY, PROMETHEUS, read_yaml

DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
_SELECTOR = re.compile(r"\b(?:up|[a-z_]*:?gatekeeper_\w+(?::\w+)?)\b(?:\{[^}]*\})?")


def rules() -> Iterator[dict[str, Any]]:
    """Yield every recording and alert rule."""
    for path in sorted(PROMETHEUS.glob("*.rules.yaml")):
        for group in read_yaml(path)["groups"]:
            yield from group["rules"]


def alerts() -> list[dict[str, Any]]:
    """Return the alert rules."""
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> list[str]:
    """Return the names of all recorded series."""
    return [rule["record"] for rule in rules() if "record" in rule]


def selectors(expression: str) -> list[str]:
    """Return the series that an expression reads, each as a query of its own."""
    return _SELECTOR.findall(expression)


def panels() -> Iterator[tuple[str, str]]:
    """Yield (dashboard and panel, query), with Grafana's variables filled in."""
    for path in DASHBOARDS:
        for panel in orjson.loads(path.read_bytes())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", _filled_in(target["expr"])


def targets(dashboard: str, title: str) -> list[dict[str, str]]:
    """Return the queries of one panel and how their series are labelled."""
    path = DEPLOY / "grafana" / "dashboards" / f"{dashboard}.json"
    (panel,) = [panel for panel in orjson.loads(path.read_bytes())["panels"] if panel["title"] == title]
    return [
        {"expr": _filled_in(target["expr"]), "legendFormat": target["legendFormat"]}
        for target in panel["targets"]
    ]


def _filled_in(query: str) -> str:
    return query.replace("$__rate_interval", "1m").replace("$job", ".*")
