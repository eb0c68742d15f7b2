"""The shape of a policy file: thresholds on an assessment's signals, and the actions they ask for."""

import difflib
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from gatekeeper.assessment import UNSOUND_CAP, Action
from gatekeeper.policy.criteria import GateCriteria
from gatekeeper.policy.signals import SignalSpec, vocabulary

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,47}$")]
Term = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\w")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
CHECKS = ("slots", "nli", "confidence", "hedging", "triage", "judge", "options", "samples")
ASKING = ("judge", "options", "samples")
"""Checks that may ask a model."""

LOOKUP = "lookup"
"""The reason of what is delivered because it only looks evidence up."""

RESERVED_RULES = ("check_unavailable", "regeneration_failed", "no_rule", "shadow", LOOKUP)
"""Reasons that the gate itself gives; no rule may be called so."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Test(_Strict):
    """What one signal must be. Several bounds together mean an interval."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    equals: float | str | None = None
    one_of: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("is empty; give at_least, above, at_most, below, equals or one_of")
        return self

    @property
    def bounds(self) -> tuple[float, ...]:
        """The numeric thresholds that are set."""
        values = (self.at_least, self.above, self.at_most, self.below)
        return tuple(value for value in values if value is not None)


class Rule(_Strict):
    """All tests of `when` hold → `then`.

    A signal that could not be measured counts as holding (`unavailable: match`, fail closed) unless
    the rule says `skip`.
    """

    id: Identifier
    when: dict[str, Test] = Field(min_length=1)
    then: Action
    unavailable: Literal["match", "skip"] = "match"
    message: Annotated[str, StringConstraints(max_length=500)] = ""


class CheckSettings(_Strict):
    """One check: whether it runs, how long it may take, and what follows when it cannot say anything."""

    enabled: bool = True
    timeout_s: float = Field(default=1.0, gt=0, le=120)
    unavailable: Action = Action.ESCALATE


class TriageSettings(CheckSettings):
    """The triage check and its topics: name → terms that stand for it (matched as whole words)."""

    topics: dict[Identifier, tuple[Term, ...]] = Field(default_factory=dict, max_length=64)


class AskingSettings(CheckSettings):
    """A check that may ask a model: calls without an answer after `deadline_s` seconds are given up."""

    enabled: bool = False
    timeout_s: float = Field(default=12.0, gt=0, le=120)
    deadline_s: float = Field(default=10.0, gt=0, le=120)

    @property
    def asks(self) -> bool:
        """Whether it asks a model at all."""
        return self.enabled

    @model_validator(mode="after")
    def _gives_up_in_time(self) -> Self:
        if self.deadline_s >= self.timeout_s:
            raise ValueError("deadline_s must be below timeout_s, or what came in time is lost")
        return self


class JudgeSettings(AskingSettings):
    """The judge: at most `max_claims` are read, the first `rotated` under every order of the labels.

    `fingerprint` binds the policy to one judging model; the opinions of any other are refused.
    """

    max_claims: int = Field(default=16, ge=1, le=64)
    rotated: int = Field(default=1, ge=1, le=64)
    fingerprint: str | None = None


class OptionsSettings(AskingSettings):
    """The options check: which of its readings ask a model, and the most options that are put to one.

    `model` lets the judging model read every option (`fingerprint` binds it as in the judge's
    settings), `permutations` and `without_evidence` let the served model choose again.
    """

    model: bool = False
    permutations: bool = False
    without_evidence: bool = False
    max_options: int = Field(default=8, ge=2, le=26)
    fingerprint: str | None = None

    @property
    def asks(self) -> bool:
        """Whether it asks a model at all."""
        return self.enabled and (self.model or self.permutations or self.without_evidence)


class SamplesSettings(AskingSettings):
    """Samples of answers whose `p_wrong` lies in `band`: up to `answers`, `tokens` long together."""

    timeout_s: float = Field(default=25.0, gt=0, le=120)
    deadline_s: float = Field(default=20.0, gt=0, le=120)
    band: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] = (0.2, 0.8)
    answers: int = Field(default=3, ge=1, le=16)
    temperature: float = Field(default=0.7, gt=0, le=2)
    tokens: int = Field(default=1500, ge=1, le=100_000)

    @model_validator(mode="after")
    def _is_a_budget(self) -> Self:
        if self.band[0] > self.band[1]:
            raise ValueError("band is [low, high], the lower risk first")
        if self.tokens < self.answers:
            raise ValueError("tokens is the budget of all samples together, at least one for each")
        return self


class NliSettings(CheckSettings):
    """The nli check. `model` is a folder (see `gatekeeper.checks.nli.reader`), the embedded one by default.

    `statements` is how many statements of the evidence are read beside a claim, `threshold` the
    probability from which a claim counts as contradicted, or as supported. A folder needs its digest in
    `sha256`: what a policy decides, and what a certificate says of it, depends on the model.
    """

    enabled: bool = False
    timeout_s: float = Field(default=3.0, gt=0, le=120)
    model: Text | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    statements: int = Field(default=2, ge=1, le=8)
    threshold: float = Field(default=0.8, gt=0, lt=1)

    @model_validator(mode="after")
    def _bound(self) -> Self:
        if self.model is not None and self.sha256 is None:
            raise ValueError("a model's folder needs its digest in sha256; start once with any to be told it")
        return self


class Checks(_Strict):
    """Settings of every check."""

    slots: CheckSettings = CheckSettings()
    nli: NliSettings = NliSettings()
    confidence: CheckSettings = CheckSettings()
    hedging: CheckSettings = CheckSettings()
    triage: TriageSettings = TriageSettings()
    judge: JudgeSettings = JudgeSettings()
    options: OptionsSettings = OptionsSettings()
    samples: SamplesSettings = SamplesSettings()

    def enabled(self, name: str) -> bool:
        """Return whether the named check runs."""
        return bool(getattr(self, name).enabled)


class EvidenceSettings(_Strict):
    """How evidence is handled. `inject` writes the explicit `evidence` field into the prompt.

    `unsound_cap` is the most that P(correct) may be where the evidence contradicts itself or has expired.
    `lookups` names tools that only look evidence up: an answer that calls nothing else and says nothing is
    delivered, whatever the rules say, where no check failed. So an agent can fetch what it will be judged by.
    """

    inject: bool = False
    unsound_cap: float = Field(default=UNSOUND_CAP, ge=0, le=1)
    lookups: frozenset[ToolName] = Field(default=frozenset(), max_length=64)


class Regenerate(_Strict):
    """Up to `tries` more answers with `instruction` before the question, then the action `then`."""

    tries: int = Field(default=1, ge=1, le=5)
    then: Action = Action.ESCALATE
    instruction: Text = (
        "Answer only from the evidence supplied. Where the evidence does not settle the question, say so. "
        "State how certain each statement is."
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.then.severity <= Action.REGENERATE.severity:
            raise ValueError("'then' must be stricter than regenerate: escalate, abstain or block")
        return self


class Prompt(_Strict):
    """Optional shaping: a system instruction put before every conversation."""

    instruction: Text | None = None


class Held(_Strict):
    """The HTTP status of a held answer that does not stream; streams are always 200."""

    http_status: Literal[200, 403, 409, 422, 451] = 200


class Messages(_Strict):
    """What the application gets in place of a held answer, and below an annotated one."""

    annotate: Text = (
        "Note: this answer could not be fully confirmed by the supplied evidence. Check it before use."
    )
    escalate: Text = "This answer is held for review by a clinician."
    abstain: Text = "No answer is given: no evidence was supplied that supports one."
    block: Text = "This answer was blocked by the safety policy."


class Policy(_Strict):
    """A policy. The strictest action of all matching rules wins, so the order of rules never matters."""

    schema_version: Literal[1] = 1
    name: Identifier
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    mode: Literal["enforce", "shadow"] = "enforce"
    streaming: Literal["hold", "window"] = "hold"
    reasoning: Literal["strip", "judge"] = "strip"
    evidence: EvidenceSettings = EvidenceSettings()
    checks: Checks = Checks()
    prompt: Prompt = Prompt()
    regenerate: Regenerate = Regenerate()
    held: Held = Held()
    messages: Messages = Messages()
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=128)
    gate: GateCriteria | None = None

    @model_validator(mode="after")
    def _rules_make_sense(self) -> Self:
        known = vocabulary(self.checks.triage.topics)
        seen: set[str] = set()
        for position, rule in enumerate(self.rules):
            if rule.id in seen or rule.id in RESERVED_RULES:
                raise _at(("rules", position), f"rule id '{rule.id}' is taken; give every rule its own id")
            seen.add(rule.id)
            for signal, test in rule.when.items():
                problem = _problem(signal, test, known, self.checks)
                if problem:
                    raise _at(("rules", position, "when"), f"rule '{rule.id}': {problem}")
        return self

    def signals_read(self) -> set[str]:
        """Return the names of all signals that a rule reads."""
        return {signal for rule in self.rules for signal in rule.when}


def _at(location: tuple[str | int, ...], message: str) -> PydanticCustomError:
    """Return a validation error that knows where in the file it belongs."""
    return PydanticCustomError("rule", "{message}", {"message": message, "at": location})


def _problem(signal: str, test: Test, known: dict[str, SignalSpec], checks: Checks) -> str | None:
    """Return why a rule's test can never be meant so, or None."""
    spec = known.get(signal)
    if spec is None:
        near = difflib.get_close_matches(signal, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "; see `gatekeeper policy explain`"
        return f"there is no signal '{signal}'{hint}"
    if spec.check and not checks.enabled(spec.check):
        return f"'{signal}' is measured by the check '{spec.check}', which is not enabled"
    if spec.values:
        return _enum_problem(signal, test, spec)
    if test.one_of is not None or isinstance(test.equals, str):
        return f"'{signal}' is a number; use at_least, above, at_most, below or a numeric equals"
    low, high = spec.bounds
    outside = [bound for bound in test.bounds if not low <= bound <= high]
    return f"'{signal}' lies between {low:g} and {high:g}, not {outside[0]:g}" if outside else None


def _enum_problem(signal: str, test: Test, spec: SignalSpec) -> str | None:
    asked: tuple[Any, ...] = (*(test.one_of or ()), *(() if test.equals is None else (test.equals,)))
    if test.bounds or not asked:
        return f"'{signal}' is not a number; use equals or one_of"
    unknown = [value for value in asked if value not in spec.values]
    return f"'{signal}' is one of {', '.join(spec.values)}, never '{unknown[0]}'" if unknown else None
