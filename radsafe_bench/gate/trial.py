"""A trial: one candidate's decisions on one recording, then, once labels are opened, its verdict."""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import gatekeeper
from gatekeeper.calibration import Calibration, Calibrations
from gatekeeper.certificate import Certificate, NamedDigest, OpenedCertificate, code_digest
from gatekeeper.errors import ConfigurationError, ReplayMiss
from gatekeeper.gate import Bundle
from gatekeeper.policy import Policy
from gatekeeper.policy.criteria import GateCriteria
from radsafe_bench.conditions import RETRIEVING
from radsafe_bench.gate.asked import reread
from radsafe_bench.gate.auxiliary import CALLS, asks_a_model
from radsafe_bench.gate.baseline import check_baseline, ended_of, noise_of, seen_by
from radsafe_bench.gate.criteria import COMPARED, Result, Row, power_of_all, rows_of, verdict_of
from radsafe_bench.gate.live import gated_decisions, is_gated
from radsafe_bench.gate.looks import Looks
from radsafe_bench.gate.outcomes import endings, noise
from radsafe_bench.gate.replay import Decided, fingerprint_of, greedy_records, replay
from radsafe_bench.gate.verdict import UNBOUND, Basis, Counts, Verdict
from radsafe_bench.records import MAIN, RECORDS, REPEAT, Run
from radsafe_bench.stats import holm
from radsafe_bench.suites import Split, Suite

RECORDED: Final = "recorded"
LIVE: Final = "live"


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything that a verdict is computed from; nothing here depends on the suite's labels.

    `decided` are the decisions on the greedy answers, `repeat` those on the A/A pass; `calibration` is
    the one applied. `source` says who decided: the replay, or a gate that serves.
    """

    bundle: Bundle
    criteria: GateCriteria
    run: Run
    suite: Suite
    fingerprint: str
    calibration: Calibration | None
    decided: tuple[Decided, ...]
    repeat: tuple[Decided, ...]
    records: str
    baseline: OpenedCertificate | None = None
    source: str = RECORDED

    @property
    def fitted(self) -> frozenset[str]:
        """The questions that calibration, thresholds or baseline were fitted on, as they say themselves."""
        return frozenset(
            {
                *self.criteria.fitted_on,
                *(self.calibration.seen if self.calibration else ()),
                *(seen_by(self.baseline) if self.baseline else ()),
            }
        )

    @property
    def seen(self) -> frozenset[str]:
        """The questions that are left out: those fitted on, and with any the whole calibration split.

        Whoever names what was seen must not choose thereby what is judged. A calibration that names none was
        fitted on something all the same.
        """
        return self.fitted | self._calibrating if self.fitted or self.calibration else self.fitted

    @property
    def handpicked(self) -> int:
        """How many questions were fitted on that are not for fitting."""
        return len(self.fitted & {question.id for question in self.suite.questions} - self._calibrating)

    @property
    def _calibrating(self) -> frozenset[str]:
        return frozenset(question.id for question in self.suite.split(Split.CALIBRATION))

    @property
    def candidate(self) -> dict[str, str | None]:
        """The digests that tell one candidate from another."""
        return {
            "policy": self.bundle.loaded.digest,
            "criteria": self.criteria.digest,
            "calibration": self.calibration.digest if self.calibration else None,
            "code": code_digest(),
            "suite": self.suite.digest,
            "records": self.records,
            "baseline": self.baseline.digest if self.baseline else None,
            "source": self.source,
        }


def trial_of(bundle: Bundle, run: Run, suite: Suite, baseline: OpenedCertificate | None = None) -> Trial:
    """Replay a policy on a recording, or read the decisions of the gate that it was recorded through.

    Raises ConfigurationError where policy, run, suite and baseline do not belong together,
    CalibrationError where no calibration is for the recorded model, and ReplayMiss where the run lacks
    a condition in scope or a call that the policy needs.
    """
    criteria = criteria_of(bundle)
    check_run(criteria, run, suite)
    check_baseline(criteria, suite, baseline)
    fingerprint, live, digest = fingerprint_of(run), is_gated(run), bundle.loaded.digest
    scoped = reread(in_scope(run, criteria), suite.questions)
    main, repeat = (
        gated_decisions(scoped, digest, in_pass) if live else replay(scoped, bundle, in_pass)
        for in_pass in (MAIN, REPEAT)
    )
    return Trial(
        bundle=bundle,
        criteria=criteria,
        run=run,
        suite=suite,
        fingerprint=fingerprint,
        calibration=_calibration(bundle.calibrations, fingerprint, live=live),
        decided=main,
        repeat=repeat,
        records=records_digest(run, calls=asks_a_model(bundle)),
        baseline=baseline,
        source=LIVE if live else RECORDED,
    )


def conclude(trial: Trial, looks: Looks | None = None) -> Verdict:
    """Open the suite's labels and compute the verdict."""
    scope, seen = tuple(trial.criteria.scope), trial.seen
    ended = endings(trial.decided, trial.suite, scope, seen)
    noisy = noise(ended, trial.repeat, trial.suite, COMPARED)
    compared = (ended_of(trial.baseline, seen), noise_of(trial.baseline)) if trial.baseline else ()
    rows = rows_of(trial.criteria, ended, *compared)
    if trial.handpicked:
        rows = tuple(_undecided(row, trial.handpicked) for row in rows)
    return Verdict(
        result=verdict_of(rows),
        basis=_basis(trial),
        rows=rows,
        counts=tuple(Counts.of(name, ended[name], noisy.get(name)) for name in scope),
        p_holm=_corrected(rows),
        power=power_of_all(rows),
        looks=looks,
        ended=ended,
        seen=tuple(sorted(seen)),
    )


def _undecided(row: Row, handpicked: int) -> Row:
    """Return a row that does not pass, for what remains may have been chosen by its outcome."""
    why = f"{handpicked} questions outside the calibration split were fitted on, so this cannot pass"
    note = "; ".join(filter(None, (row.note, why)))
    return replace(row, result=Result.INCONCLUSIVE, note=note) if row.result is Result.PASS else row


def criteria_of(bundle: Bundle) -> GateCriteria:
    """Return a policy's criteria; ConfigurationError where it has none or enforces nothing."""
    policy = bundle.policy
    if policy.mode == "shadow":
        raise ConfigurationError(f"policy '{policy.name}' runs in shadow mode: it holds nothing to judge")
    if policy.gate is None:
        raise ConfigurationError(f"policy '{policy.name}' has no 'gate:' section; write down what must hold")
    return policy.gate


def check_run(criteria: GateCriteria, run: Run, suite: Suite) -> None:
    """Raise ConfigurationError for a run of another suite, ReplayMiss for one that lacks a condition."""
    asked = run.manifest.suite
    if asked.digest != suite.digest:
        raise ConfigurationError(
            f"{run.path} asked {asked.name} {asked.version} ({asked.digest}), not {suite.name} "
            f"{suite.version} ({suite.digest}): give the suite that it asked with --suite"
        )
    held = {record.condition for record in greedy_records(run)}
    if missing := [name for name in criteria.scope if name not in held]:
        model = "--target URL --model " + run.manifest.model
        whom = "--backend extractive" if run.manifest.backend == "extractive" else model
        raise ReplayMiss(
            f"{run.path} holds no answers under {', '.join(missing)}, which the policy's scope names. Record "
            f"them: radsafe-bench run {whom} --suite {asked.name} --conditions {','.join(missing)} "
            f"--out {run.path}"
        )


def in_scope(run: Run, criteria: GateCriteria) -> Run:
    """Return the run with the records of the conditions that are judged."""
    return replace(run, records=tuple(one for one in run.records if one.condition in criteria.scope))


def records_digest(run: Run, *, calls: bool = False) -> str:
    """Return `sha256:<hex>` of the run's records as they lie on disk, auxiliary calls included if asked."""
    with (run.path / RECORDS).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    if calls and (run.path / CALLS).exists():
        digest.update((run.path / CALLS).read_bytes())
    return f"sha256:{digest.hexdigest()}"


def _calibration(calibrations: Calibrations, fingerprint: str, *, live: bool) -> Calibration | None:
    """Return the artefact that was applied; of a serving gate, whose model is not seen, the one given."""
    given = calibrations.fingerprints
    if live and len(given) > 1:
        raise ConfigurationError("give the one calibration that the serving gate applies")
    return calibrations.require(given[0] if live else fingerprint) if given else None


def _corrected(rows: tuple[Row, ...]) -> dict[str, float]:
    """Return McNemar's p-values by condition, corrected for their number."""
    tests = {row.condition: row.p_mcnemar for row in rows if row.p_mcnemar is not None}
    return dict(zip(tests, map(float, holm(list(tests.values()))), strict=True))


def _basis(trial: Trial) -> Basis:
    policy, suite, manifest = trial.bundle.loaded, trial.suite, trial.run.manifest
    judged = {question.id for question in suite.questions} - trial.seen
    prompt = manifest.body.get("prompt")
    return Basis(
        policy=NamedDigest(policy.policy.name, policy.policy.version, policy.digest),
        criteria=trial.criteria.digest,
        scope=trial.criteria.model_dump(mode="json")["scope"],
        suite=NamedDigest(suite.name, suite.version, suite.digest),
        notice=suite.notice,
        split=_split(suite, judged),
        questions=len(judged),
        excluded=len(suite.questions) - len(judged),
        model=manifest.model,
        fingerprint=trial.fingerprint,
        calibration=trial.calibration.digest if trial.calibration else None,
        code=code_digest(),
        version=gatekeeper.__version__,
        judge=_judge(policy.policy),
        prompts=prompt.get("digest") if isinstance(prompt, dict) else None,
        retrieval=_retrieval(trial),
        run=trial.run.name,
        records=trial.records,
        determinism=tuple(manifest.body.get("determinism") or ()),
        baseline=trial.baseline.digest if trial.baseline else None,
        compared_with=_named(trial.baseline.certificate) if trial.baseline else None,
        source=trial.source,
    )


def _named(certificate: Certificate) -> str:
    """Name what a baseline certifies: a weak one is easily matched, so the reader is told which it is."""
    return f"{certificate.policy.name} {certificate.policy.version} with {certificate.fingerprint}"


def _judge(policy: Policy) -> str | None:
    """Name the models whose judgement the policy's checks believe."""
    judge, options = policy.checks.judge, policy.checks.options
    asking = [*([judge] if judge.enabled else ()), *([options] if options.enabled and options.model else ())]
    bound = sorted({settings.fingerprint or UNBOUND for settings in asking})
    return UNBOUND if UNBOUND in bound else ", ".join(bound) or None


def _retrieval(trial: Trial) -> str | None:
    """Name what was searched: evidence that is retrieved need not be the suite's."""
    if not RETRIEVING.intersection(trial.criteria.scope):
        return None
    stated = trial.run.manifest.body.get("retrieval")
    if not isinstance(stated, dict):
        return "the run says nothing of it"
    return f"{stated.get('retriever')} over {stated.get('chunks')} chunks ({stated.get('digest')})"


def _split(suite: Suite, judged: set[str]) -> str:
    """Name the part of a suite that was judged."""
    for split in Split:
        if judged == {question.id for question in suite.split(split)}:
            return split.value
    return "all" if len(judged) == len(suite.questions) else "part"
