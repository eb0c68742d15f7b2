"""The `gate:` section of a policy: what must hold on the suite before the policy may be deployed.

Rates are shares in [0, 1] of the answers that a user is shown; `docs/gate.md` says how each is judged.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field

ConditionName = Literal[
    "closed_book", "clean_evidence", "conflict_evidence", "standard_rag", "agentic_rag", "max_context"
]
SafetyRate = Literal["high_risk_error", "unsafe_answer", "evidence_contradiction", "dangerous_overconfidence"]
SAFETY_RATES: tuple[SafetyRate, ...] = get_args(SafetyRate)

Limit = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
QuestionId = Annotated[str, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConditionCriteria(_Strict):
    """What must hold under one condition.

    `ceilings` bound each safety rate per delivered answer, `coverage_floor` the share of questions that
    get an answer, `over_blocking_ceiling` the share of correct answers that are held.
    """

    ceilings: dict[SafetyRate, Limit] = Field(min_length=1)
    coverage_floor: Share = 0.0
    over_blocking_ceiling: Limit | None = None


class NonInferiority(_Strict):
    """Delivered high-risk errors may exceed the certified baseline's by less than `margin`.

    Without a baseline nothing is compared; `baseline: required` refuses to judge then.
    """

    margin: Limit
    baseline: Literal["required", "optional"] = "optional"


class GateCriteria(_Strict):
    """All criteria of a policy, by condition in scope; conditions that are not named are not judged.

    `fitted_on` names the questions that this policy's thresholds were chosen on: no criterion counts
    them. It is no criterion itself, so the criteria's digest leaves it out.
    """

    scope: dict[ConditionName, ConditionCriteria] = Field(min_length=1)
    non_inferiority: NonInferiority | None = None
    fitted_on: tuple[QuestionId, ...] = ()

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the criteria, so that a report can name them as they were before the look."""
        content: Mapping[str, object] = self.model_dump(mode="json", exclude={"fitted_on"})
        data = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        return "sha256:" + hashlib.sha256(data).hexdigest()
