"""`radsafe-bench detectors`."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import orjson
from rich.console import Console
from rich.progress import Progress

from gatekeeper.bundle import load_bundle
from gatekeeper.calibration import Calibration
from gatekeeper.errors import ConfigurationError
from gatekeeper.gate import Bundle
from gatekeeper.settings import POLICIES
from radsafe_bench.commands.gate import Misused, StatusCommand
from radsafe_bench.detecting.detectors import CONFIDENCE, FUSION, detectors_of
from radsafe_bench.detecting.examining import Examined, examine_all
from radsafe_bench.detecting.figures import measure
from radsafe_bench.detecting.items import Item, Section
from radsafe_bench.detecting.openings import LEDGER, frozen_in, open_certification
from radsafe_bench.detecting.report import SectionResult, failure_lines, tables, to_json
from radsafe_bench.detecting.sources import answers_of, options_of, pairs_of, read_pairs
from radsafe_bench.gate.auxiliary import CALLS, Recorded, asks_a_model, load_calls
from radsafe_bench.gate.replay import load_recording
from radsafe_bench.gate.trial import records_digest
from radsafe_bench.records import Run
from radsafe_bench.suites import SUITE_NAME, Split, Suite, load_suite
from radsafe_bench.suites.store import file_digest

INTERRUPTED: Final = 130
_WIDTH: Final = 160
"""Characters below which the table of figures would cut figures off, in a pipe or a narrow terminal."""
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


class Asked(NamedTuple):
    """What the options name, read."""

    bundle: Bundle
    suite: Suite
    split: Split
    run: Run | None
    pairs: Path | None
    no_pairs: bool
    seed: int


@click.command(
    "detectors",
    cls=StatusCommand,
    epilog="Exit status: 0 measured, 3 it cannot be done so, 130 interrupted, with what there was till then.",
)
@click.option(
    "--policy", type=_FILE, default=POLICIES / "default.yaml", help="Names the checks; default policy."
)
@click.option("--calibration", type=_FILE, multiple=True, help="Calibration artefact; may be repeated.")
@click.option("--suite", default=SUITE_NAME, show_default=True, help="Name or directory.")
@click.option("--split", type=click.Choice([Split.CALIBRATION.value, Split.CERTIFICATION.value]),
              default=Split.CALIBRATION.value, show_default=True)  # fmt: skip
@click.option("--pairs", type=_FILE, help="JSON lines {id, question|source, kind, evidence, claim, label}.")
@click.option("--no-pairs", is_flag=True, help="Only the run.")
@click.option("--run", "folder", type=_FOLDER, metavar="runs/NAME", help="Recorded model: options, answers.")
@click.option(
    "--detector", "names", multiple=True, metavar="CHECK[+CHECK…]", help="May be repeated; all unless given."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the suite's pairs.")
@click.option(
    "--examples", type=click.IntRange(0, 50), default=0, help="List failures, with so many examples each."
)
@click.option("--json", "out", type=_FILE, help="Write all figures here.")
@click.option("--open-certification", "reason", metavar="REASON", help="With --split certification.")
@click.option("--again", metavar="REASON", help="Open once more what was opened with the same digests.")
@click.option("--ledger", type=_FILE, default=LEDGER, show_default=True, help="Where openings are written.")
@click.pass_context
def detectors_command(ctx: click.Context, /, **given: Any) -> None:
    """Measure every check, checks together, the policy's rules and the fused risk beside known truth.

    On pairs of evidence and claim, and with --run on each option of the recorded questions and on what
    the model answered. Only the calibration half is read unless the other is opened on purpose.
    """
    asked = _asked(given)
    _open(asked, given)
    sections = _sections(asked)
    results, interrupted = [], False
    for section, items in sections:
        examined, complete = _examine(section, items, asked)
        interrupted = interrupted or not complete
        results.append(_result(section, items, examined, asked, given))
        if interrupted:
            break
    if given["out"] is not None:
        _write(given["out"], results, asked)
    for result in results:
        _show(result)
    click.echo(asked.suite.notice, err=True)
    if interrupted:
        click.echo("interrupted: the figures above are of what had been examined", err=True)
        ctx.exit(INTERRUPTED)


def _asked(given: dict[str, Any]) -> Asked:
    split = Split(given["split"])
    if (split is Split.CERTIFICATION) != (given["reason"] is not None):
        raise Misused(
            "the certification questions are opened by --split certification together with "
            "--open-certification REASON, and by nothing less"
        )
    if given["no_pairs"] and given["folder"] is None:
        raise Misused("--no-pairs leaves nothing to measure without --run")
    run = load_recording(given["folder"]) if given["folder"] else None
    suite = load_suite(given["suite"])
    if run is not None and run.manifest.suite.digest != suite.digest:
        raise ConfigurationError(f"{run.path} asked another suite; give the one it asked with --suite")
    return Asked(
        load_bundle(given["policy"], given["calibration"]),
        suite,
        split,
        run,
        given["pairs"],
        given["no_pairs"],
        given["seed"],
    )


def _open(asked: Asked, given: dict[str, Any]) -> None:
    """Write the opening down before a certification question is read."""
    if asked.split is not Split.CERTIFICATION:
        return
    frozen = frozen_in(
        asked.bundle,
        suite=asked.suite.digest,
        pairs=file_digest(asked.pairs) if asked.pairs else None,
        records=records_digest(asked.run) if asked.run else None,
    )
    command = ["radsafe-bench", *sys.argv[1:]]
    opening = open_certification(
        given["ledger"], frozen, command, given["reason"], datetime.now(UTC), given["again"]
    )
    click.echo(
        f"{given['ledger']}: certification questions opened; {opening.before} times before, {opening.alike} "
        "of them with exactly these digests",
        err=True,
    )


def _sections(asked: Asked) -> list[tuple[Section, tuple[Item, ...]]]:
    """Return the items of each section; of the suite's questions none but the split's."""
    suite, run = asked.suite, asked.run
    chosen = {question.id for question in suite.split(asked.split)}
    if not chosen:
        raise ConfigurationError(f"suite {suite.name} has no {asked.split.value} questions")
    found: list[tuple[Section, tuple[Item, ...]]] = []
    if asked.pairs is not None:
        others = {question.id for question in suite.questions} - chosen
        items = read_pairs(asked.pairs)
        kept = tuple(item for item in items if item.question not in others)
        if len(kept) < len(items):
            click.echo(f"{len(items) - len(kept)} pairs of questions of the other split left out", err=True)
        found.append((Section.PAIRS, kept))
    elif not asked.no_pairs:
        found.append((Section.PAIRS, pairs_of(suite, chosen, asked.seed)))
    if run is not None:
        found.append((Section.OPTIONS, options_of(run, suite, chosen)))
        found.append((Section.ANSWERS, answers_of(run, suite, chosen)))
    return found


def _examine(section: Section, items: Sequence[Item], asked: Asked) -> tuple[list[Examined], bool]:
    """Examine a section; the model calls of checks were recorded for the model's own answers alone."""
    recorded = section is Section.ANSWERS and asked.run is not None and asks_a_model(asked.bundle)
    calls = Recorded(load_calls(asked.run.path / CALLS)) if recorded and asked.run else None
    with _progress(section, len(items)) as progress:
        task = progress.add_task(section.value, total=len(items))
        return examine_all(items, asked.bundle, calls, lambda: progress.update(task, advance=1))


@contextmanager
def _progress(section: Section, total: int) -> Iterator[Progress]:
    """Show progress on standard error where that is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        yield progress


def _result(
    section: Section,
    items: Sequence[Item],
    examined: Sequence[Examined],
    asked: Asked,
    given: dict[str, Any],
) -> SectionResult:
    policy, calibrations = asked.bundle.policy, asked.bundle.calibrations
    names = {one.item.fingerprint for one in examined}
    fitted = [calibrations.of(name) for name in names]
    seen = {question for one in fitted if one is not None for question in one.seen}
    spoken = {name for one in examined for name, read in one.reads.items() if read.verdict is not None}
    found = detectors_of(examined, policy, section, given["names"]) if examined else ()
    heard = {name for detector in detectors_of(examined, policy, section) for name in detector.checks}
    return SectionResult(
        section=section,
        total=len(items),
        examined=len(examined),
        questions=len({one.item.question for one in examined}),
        detected=tuple(
            measure(detector, examined, seen, given["examples"], answers=section is Section.ANSWERS)
            for detector in found
        ),
        silent=tuple(sorted(spoken - heard)),
        out_of_fold=_out_of_fold([one for one in fitted if one is not None]),
    )


def _out_of_fold(calibrations: Sequence[Calibration]) -> dict[str, dict[str, float]]:
    """Return what a calibration says of itself on questions that each of its fits did not see."""
    found: dict[str, dict[str, float]] = {}
    for calibration in calibrations:
        for detector, prefix in ((CONFIDENCE, "calibrated."), (FUSION, "risk.")):
            own = {
                name.removeprefix(prefix): value
                for name, value in calibration.metrics.items()
                if name.startswith(prefix)
            }
            if own:
                found[detector] = own
    return found


def _write(out: Path, results: Sequence[SectionResult], asked: Asked) -> None:
    body = {
        "schema_version": 1,
        "suite": {"name": asked.suite.name, "version": asked.suite.version, "digest": asked.suite.digest},
        "notice": asked.suite.notice,
        "split": asked.split.value,
        "seed": asked.seed,
        "frozen": frozen_in(asked.bundle),
        "run": asked.run.name if asked.run else None,
        "complete": all(result.complete for result in results),
        "sections": [to_json(result) for result in results],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _show(result: SectionResult) -> None:
    console = Console()
    console.width = max(console.width, _WIDTH)
    console.print(
        f"{result.section.value}: {result.examined} of {result.total} items, {result.questions} questions"
    )
    for table in tables(result):
        console.print(table)
    for detected in result.detected:
        if detected.seen:
            console.print(
                f"{detected.name}: {detected.seen} items left out, the calibration was fitted on their "
                f"questions; {_said_of_itself(result.out_of_fold.get(detected.name, {}))}"
            )
        for line in failure_lines(detected):
            console.print(line, markup=False, highlight=False)
    for name in result.silent:
        console.print(f"{name}: could judge nothing here")


def _said_of_itself(figures: Mapping[str, float]) -> str:
    shown = {"auroc": "AUROC {:.3f}", "separation_pp": "separation {:.1f} points", "ece": "ECE {:.3f}"}
    found = [form.format(figures[name]) for name, form in shown.items() if name in figures]
    return "out of fold, by its own account: " + (", ".join(found) or "nothing")
