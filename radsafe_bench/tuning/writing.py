"""A proposal as a new version of the policy, which remembers the questions that it has seen."""

from typing import Any

import yaml

from gatekeeper.errors import ConfigurationError
from gatekeeper.policy import parse_policy
from radsafe_bench.tuning.proposal import SIGNAL, Proposal

_HEAD = """\
# Version {version} of policy '{name}': the threshold of rule '{rule}' was proposed by `radsafe-bench tune`.
# It is a proposal. What may be claimed is what `radsafe-bench gate` says on questions that were not seen.
# Comments of the version before are not kept.
"""


def tuned_policy(text: str, proposal: Proposal, version: str) -> str:
    """Return a policy's text with the proposed threshold, its new version and the questions seen.

    Raises ConfigurationError where there is no threshold, PolicyError where the result is no policy.
    """
    if proposal.threshold is None:
        raise ConfigurationError("nothing can be certified, so there is no threshold to write")
    parse_policy(text)
    data: dict[str, Any] = yaml.safe_load(text)
    for rule in data["rules"]:
        if rule["id"] == proposal.rule:
            rule["when"][SIGNAL] = {"above": proposal.threshold}
    seen = {*data["gate"].get("fitted_on", ()), *proposal.questions}
    data["gate"]["fitted_on"] = sorted(seen)
    data["version"] = version
    head = _HEAD.format(version=version, name=data["name"], rule=proposal.rule)
    written = head + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)
    parse_policy(written)
    return written
