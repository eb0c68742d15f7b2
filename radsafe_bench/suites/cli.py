"""`radsafe-bench suite`: everything that is done with questions before a model answers them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table

from radsafe_bench.suites import export as exports
from radsafe_bench.suites.assemble import assemble
from radsafe_bench.suites.datasheet import (
    baseline_rows,
    listed,
    reading_rows,
    statistics_rows,
    write_datasheet,
)
from radsafe_bench.suites.errors import SuiteError
from radsafe_bench.suites.model import Origin, Question, Suite
from radsafe_bench.suites.official import ImportReport, import_official
from radsafe_bench.suites.pairs import make_pairs
from radsafe_bench.suites.review import ReviewRecord, cut_version
from radsafe_bench.suites.spreadsheet import export_review, import_review
from radsafe_bench.suites.statistics import Statistics, measure
from radsafe_bench.suites.store import SUITE_NAME, load_suite, read_lines, to_lines
from radsafe_bench.suites.validation import validate

_suite_argument = click.argument("suite_name", metavar="[SUITE]", default=SUITE_NAME)
_suite_option = click.option("--suite", "suite_name", default=SUITE_NAME, show_default=True)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_new_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, path_type=Path)


@click.group()
def suite() -> None:
    """Questions: validate, show, assemble, import, review.

    SUITE is a shipped suite's name or a suite directory, radsafe200 where it is left out.
    """


@suite.command("validate")
@_suite_argument
def validate_command(suite_name: str) -> None:
    """Check a suite against its schema and every rule; exit 1 with one line for each violation."""
    try:
        loaded = load_suite(suite_name)
    except SuiteError as error:
        if not error.problems:
            raise
        _say(f"violation: schema: {problem}" for problem in error.problems)
        raise SystemExit(1) from None
    results = validate(loaded)
    _say(f"not checked: {result.check}: {result.not_checked}" for result in results if result.not_checked)
    violations = [f"{result.check}: {line}" for result in results for line in result.violations]
    _say(f"violation: {line}" for line in violations)
    checked = sum(result.not_checked is None for result in results)
    click.echo(f"{_title(loaded)}: {checked} checks made, {len(violations)} violations")
    click.echo(loaded.notice)
    if violations:
        raise SystemExit(1)


@suite.command()
@_suite_argument
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def stats(suite_name: str, as_json: bool) -> None:
    """Print what a suite measures to."""
    loaded = load_suite(suite_name)
    figures = measure(loaded)
    if as_json:
        document = {"suite": loaded.name, "version": loaded.version, "digest": loaded.digest}
        document |= {"notice": loaded.notice, "statistics": figures}  # type: ignore[dict-item]
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return
    click.echo(f"{_title(loaded)}\n{loaded.notice}")
    _print_statistics(figures)


@suite.command()
@click.argument("question_id", metavar="ID")
@_suite_option
def show(question_id: str, suite_name: str) -> None:
    """Print one question with its labels and evidence."""
    loaded = load_suite(suite_name)
    try:
        question = loaded.question(question_id)
    except KeyError:
        raise SuiteError(f"suite {loaded.name} has no question {question_id}") from None
    click.echo(f"{_title(loaded)}\n{loaded.notice}\n")
    _say(_question_lines(question))


@suite.command("export")
@_suite_argument
@click.option("--format", "form", type=click.Choice(("json", "csv")), default="json", show_default=True)
@click.option("--out", type=_new_file, required=True)
def export_command(suite_name: str, form: str, out: Path) -> None:
    """Write the questions as one JSON document, or as CSV with the official file's columns."""
    loaded = load_suite(suite_name)
    if form == "json":
        out.write_bytes(exports.to_json(loaded))
    else:
        out.write_text(exports.to_csv(loaded), encoding="utf-8", newline="")
    click.echo(f"wrote {len(loaded.questions)} questions to {out}\n{loaded.notice}")


@suite.command()
@_suite_argument
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=_new_file, required=True)
def pairs(suite_name: str, seed: int, out: Path) -> None:
    """Write pairs of evidence and claim, labelled by construction, for testing checks."""
    loaded = load_suite(suite_name)
    made = make_pairs(loaded, seed)
    out.write_bytes(to_lines(made))
    click.echo(f"wrote {len(made)} pairs to {out}\n{loaded.notice}")


@suite.command("assemble")
@click.argument("batches", metavar="BATCH...", nargs=-1, required=True, type=_file)
@click.option("--out", type=_folder, required=True, help="A new directory.")
@click.option("--seed", type=int, required=True, help="Makes ids, letters, split and corpus order.")
@click.option("--name", default=SUITE_NAME, show_default=True)
@click.option("--version", "suite_version", default="0.1.0", show_default=True)
@click.option(
    "--reading", "readings", multiple=True, type=_file, help="Log of the second reading; may be repeated."
)
def assemble_command(
    batches: Sequence[Path], out: Path, seed: int, name: str, suite_version: str, readings: Sequence[Path]
) -> None:
    """Merge authors' batches into a suite directory with its datasheet."""
    made = assemble(batches, out, seed=seed, name=name, version=suite_version, readings=readings)
    write_datasheet(made)
    click.echo(
        f"assembled {len(made.questions)} questions in {out}; next: radsafe-bench suite validate {out}"
    )
    click.echo(made.notice)


@suite.command("datasheet")
@_suite_argument
def datasheet_command(suite_name: str) -> None:
    """Render the datasheet again from the suite's files."""
    click.echo(f"wrote {write_datasheet(load_suite(suite_name))}")


@suite.command("import")
@click.argument("file", required=False, type=_file)
@click.option("--out", type=_folder, required=True, help="A new directory.")
@click.option(
    "--map", "columns", multiple=True, metavar="OURS=THEIRS", help="Name a column; may be repeated."
)
@click.option("--name", default="radsafe200-imported", show_default=True)
@click.option("--version", "suite_version", default="1", show_default=True)
@click.option("--split-seed", type=int, help="Deal the questions into calibration and certification.")
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows that do not fit instead of stopping.")
@click.option("--from-hub", is_flag=True, help="Fetch the official data set instead of reading FILE.")
@click.option("--accept-licence", is_flag=True, help="You have read and accepted the data set's licence.")
def import_command(
    file: Path | None,
    out: Path,
    columns: Sequence[str],
    name: str,
    suite_version: str,
    split_seed: int | None,
    skip_bad_rows: bool,
    from_hub: bool,
    accept_licence: bool,
) -> None:
    """Read RadSaFE-200 as its authors publish it (CSV, JSON, JSON lines) into a suite directory."""
    if (file is None) != from_hub:
        raise click.UsageError("give a FILE or --from-hub")
    if from_hub and not accept_licence:
        raise click.UsageError("--from-hub needs --accept-licence: the data set has a licence of its own")
    made, report = import_official(
        file or _fetch_official(),
        out,
        name=name,
        version=suite_version,
        columns=_column_map(columns),
        split_seed=split_seed,
        skip_bad_rows=skip_bad_rows,
    )
    _print_import(report)
    click.echo(f"imported {report.imported} of {report.rows} rows into {out}\n{made.notice}")


@suite.group()
def review() -> None:
    """Clinicians' review: a spreadsheet out, records back."""


@review.command("export")
@_suite_argument
@click.option("--out", type=_new_file, required=True, help="A file ending in .xlsx.")
def review_export(suite_name: str, out: Path) -> None:
    """Write the spreadsheet that one clinician fills in: blind sheet first, labels second."""
    loaded = load_suite(suite_name)
    export_review(loaded, out)
    click.echo(f"wrote {out}\n{loaded.notice}")


@review.command("import")
@click.argument("file", type=_file)
@_suite_option
@click.option("--out", type=_new_file, required=True, help="Review records, JSON lines; a new file.")
def review_import(file: Path, suite_name: str, out: Path) -> None:
    """Read a filled-in spreadsheet into review records; the suite itself stays as it is."""
    if out.exists():
        raise SuiteError(f"{out} exists; records are never written over")
    loaded = load_suite(suite_name)
    records = import_review(file, loaded)
    out.write_bytes(to_lines(records))
    answers = {record.question: record.answer_before for record in records if record.answer_before}
    as_marked = sum(loaded.question(name).correct.letter == letter for name, letter in answers.items())
    opinions = [opinion.agrees for record in records for opinion in record.opinions]
    click.echo(f"wrote {len(records)} records to {out}")
    click.echo(f"answered as marked before seeing the labels: {as_marked} of {len(answers)}")
    click.echo(f"agreed with {sum(opinions)} of {len(opinions)} labels")
    click.echo(f"edits proposed: {sum(len(record.edits) for record in records)}")


@suite.command("cut-version")
@_suite_argument
@click.option("--records", multiple=True, required=True, type=_file, help="Review records; may be repeated.")
@click.option("--version", "suite_version", required=True)
@click.option("--out", type=_folder, required=True, help="A new directory.")
@click.option(
    "--reviewers",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Needed to call a question reviewed.",
)
def cut_version_command(
    suite_name: str, records: Sequence[Path], suite_version: str, out: Path, reviewers: int
) -> None:
    """Make a new version from review records and print what changed; the old version stays."""
    read = [record for path in records for record in read_lines(path, ReviewRecord)]
    cut, changes = cut_version(
        load_suite(suite_name), read, out, version=suite_version, reviewers_needed=reviewers
    )
    if cut.info.origin is Origin.INDEPENDENT:
        write_datasheet(cut)
    for change in changes:
        click.echo(f"{change.question} {change.field}\n  - {change.before}\n  + {change.after}")
    edited = {change.question for change in changes if change.field != "review"}
    if edited:
        click.echo(f"edited: {', '.join(sorted(edited))}; see that their pair sentences still hold")
    click.echo(f"{_title(cut)} in {out}: {len(changes)} changes; next: radsafe-bench suite validate {out}")
    click.echo(cut.notice)


def _fetch_official() -> Path:
    from radsafe_bench.suites.hub import fetch_official  # noqa: PLC0415  # the `hub` extra is rarely there

    return fetch_official()


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _title(loaded: Suite) -> str:
    return f"suite {loaded.name} {loaded.version} ({loaded.info.review}) {loaded.digest}"


def _column_map(columns: Iterable[str]) -> dict[str, str]:
    pairs = [column.partition("=") for column in columns]
    if any(not ours or not theirs for ours, _, theirs in pairs):
        raise click.UsageError("--map is written OURS=THEIRS")
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


def _print_import(report: ImportReport) -> None:
    _say(f"left out: {problem}" for problem in report.problems)
    _say(f"note: {note}" for note in report.notes)
    click.echo(f"read: {', '.join(f'{ours} from {theirs}' for ours, theirs in report.mapped.items())}")
    if report.missing:
        click.echo(f"no column for: {', '.join(report.missing)}")
    if report.unused:
        click.echo(f"columns not read: {', '.join(report.unused)}")


def _question_lines(question: Question) -> Iterable[str]:
    marks = [question.subspecialty, question.question_type, *question.focus]
    marks += ["negated"] if question.negated else []
    marks += [f"hinges on {question.hinge}"] if question.hinge else []
    marks += [f"split {question.split or 'none'}", f"review {question.review.status}"]
    yield f"{question.id}  {', '.join(marks)}"
    yield f"\n{question.stem}\n"
    for option in question.options:
        flags = ["correct"] if option.correct else []
        yield f"{option.letter}. {option.text}  [{', '.join([*flags, *option.labels]) or 'no label'}]"
        if option.rationale:
            yield f"   {option.rationale}"
    clean, conflict = question.evidence.clean, question.evidence.conflict
    if clean:
        yield f"\nClean evidence\n{clean.text}"
        yield from (f"- {source.name}, {source.edition} ({source.year})" for source in clean.sources)
    if conflict:
        yield f"\nConflict evidence\n{conflict.text}"
        yield from (f"- injected, {injection.kind}: {injection.claim}" for injection in conflict.injected)


def _print_statistics(figures: Statistics) -> None:
    console = Console()
    for title, rows in (
        ("figures", statistics_rows(figures)),
        ("baselines that understand nothing", baseline_rows(figures)),
        (
            "second reading and review",
            [*reading_rows(figures.readings), ("review", listed(figures.review))],
        ),
    ):
        table = Table(show_header=False, box=None)
        for name, value in rows:
            table.add_row(name, value)
        console.print(f"\n{title}", table, sep="\n")
    console.print(f"\n{len(figures.sources)} sources, listed in the datasheet")
