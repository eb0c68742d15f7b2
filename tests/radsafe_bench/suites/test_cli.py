from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from radsafe_bench import load_suite
from radsafe_bench.cli import main
from radsafe_bench.suites import Suite
from radsafe_bench.suites.store import SuiteContent, write_suite
from tests.radsafe_bench.suites.conftest import authored, write_lines
from tests.radsafe_bench.suites.test_official import official_csv, official_row

NOT_REVIEWED = "no clinician has reviewed them"


def suite_command(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["suite", *map(str, arguments)])


def succeed(*arguments: object) -> str:
    result = suite_command(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_validate_passes_a_suite_that_keeps_every_rule(full: Suite) -> None:
    """CI goes on, and the reader sees what was validated."""
    output = succeed("validate", full.path)

    assert "checks made, 0 violations" in output
    assert full.digest in output
    assert NOT_REVIEWED in output


def test_validate_fails_with_one_line_for_each_violation(small: Suite) -> None:
    """CI stops: forty questions miss the quotas of radsafe200."""
    result = suite_command("validate", small.path)

    lines = [line for line in result.output.splitlines() if line.startswith("violation: ")]
    assert result.exit_code == 1
    assert "violation: spread: 40 questions, 200 are wanted" in lines
    assert f"{len(lines)} violations" in result.output


def test_validate_names_lines_that_break_the_schema(small: Suite, tmp_path: Path) -> None:
    """A file that cannot be loaded is a violation, not a crash."""
    copied = write_suite(tmp_path / "copy", small.info, SuiteContent(small.questions))
    path = copied.path / "questions.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"negated":false', b'"negated":0', 1))

    result = suite_command("validate", copied.path)

    assert result.exit_code == 1
    assert "violation: schema: questions.jsonl line 1: negated" in result.output


def test_a_missing_suite_is_an_error_of_its_own(tmp_path: Path) -> None:
    """A wrong path is told apart from a suite that breaks rules."""
    result = suite_command("validate", tmp_path)

    assert result.exit_code == 3
    assert "no suite" in result.output


def test_stats_prints_what_was_measured(full: Suite) -> None:
    """Figures, baselines and the notice, for people and for programs."""
    output = succeed("stats", full.path)
    document = orjson.loads(succeed("stats", full.path, "--json"))

    assert NOT_REVIEWED in output
    assert "certification 120, calibration 80" in output
    assert NOT_REVIEWED in document["notice"]
    assert document["statistics"]["questions"] == 200
    assert document["statistics"]["baselines"]["chance"] == pytest.approx(0.22)


def test_show_prints_a_question_with_its_labels(small: Suite) -> None:
    """One look shows stem, options, flags, evidence, sources and what was injected."""
    question = small.questions[0]
    output = succeed("show", question.id, "--suite", small.path)

    assert question.evidence.clean is not None
    assert question.evidence.conflict is not None
    for text in (
        question.stem,
        f"{question.correct.letter}. {question.correct.text}  [correct",
        question.evidence.clean.text,
        f"- injected, outdated_edition: {question.evidence.conflict.injected[0].claim}",
        NOT_REVIEWED,
    ):
        assert text in output
    assert suite_command("show", "rsg-999", "--suite", small.path).exit_code == 3


@pytest.mark.parametrize("form", ["json", "csv"])
def test_export_writes_a_file_that_says_what_it_is(small: Suite, tmp_path: Path, form: str) -> None:
    """The notice travels with the questions."""
    path = tmp_path / f"out.{form}"

    assert NOT_REVIEWED in succeed("export", small.path, "--format", form, "--out", path)
    assert NOT_REVIEWED in path.read_text(encoding="utf-8")


def test_pairs_are_written_as_lines(small: Suite, tmp_path: Path) -> None:
    """A check can be tested on the file, which is the same for the same seed."""
    paths = [tmp_path / name for name in ("a.jsonl", "b.jsonl")]
    for path in paths:
        succeed("pairs", small.path, "--seed", 3, "--out", path)

    lines = [orjson.loads(line) for line in paths[0].read_bytes().splitlines()]
    assert len(lines) == 440
    assert set(lines[0]) == {"id", "question", "kind", "label", "evidence", "claim"}
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_assemble_writes_a_suite_and_its_datasheet(tmp_path: Path) -> None:
    """Batches become a directory that loads, beside a datasheet with its digest."""
    batch = write_lines(tmp_path / "batch.jsonl", [authored(number) for number in range(10)])
    out = tmp_path / "made"

    succeed("assemble", batch, "--out", out, "--seed", 1, "--name", "made")

    suite = load_suite(out)
    assert len(suite.questions) == 10
    assert suite.digest in (out / "DATASHEET.md").read_text(encoding="utf-8")
    (out / "DATASHEET.md").unlink()
    succeed("datasheet", out)
    assert "The second reading has not been made." in (out / "DATASHEET.md").read_text(encoding="utf-8")


def test_import_reports_what_it_read(tmp_path: Path) -> None:
    """The user sees the mapping, what is missing, and that labels are the file's own."""
    rows = [official_row(number) for number in range(1, 6)]
    for row in rows:
        row["Frage"] = row.pop("question_text")
    file = official_csv(tmp_path, rows)

    output = succeed("import", file, "--out", tmp_path / "out", "--map", "stem=Frage", "--split-seed", 1)

    assert "stem from Frage" in output
    assert "imported 5 of 5 rows" in output
    assert "labels and licence are those of that file" in output
    assert "0 violations" in succeed("validate", tmp_path / "out")
    assert "not checked: spread" in succeed("validate", tmp_path / "out")
    succeed("stats", tmp_path / "out")
    succeed("show", "1", "--suite", tmp_path / "out")


def test_import_of_a_bad_file_ends_with_the_harness_status(tmp_path: Path) -> None:
    """Each row that does not fit is named, and nothing is written."""
    rows = [official_row(1), official_row(2) | {"answer_idx": "?"}]

    result = suite_command("import", official_csv(tmp_path, rows), "--out", tmp_path / "out")

    assert result.exit_code == 3
    assert "row 2: the correct answer names no option" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a FILE or --from-hub"),
        (["--from-hub"], "needs --accept-licence"),
        (["radsafe.csv", "--map", "stem"], "written OURS=THEIRS"),
    ],
)
def test_import_says_how_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    """The licence of the official data set is accepted by the user, never by default."""
    official_csv(tmp_path)
    monkeypatch.chdir(tmp_path)

    result = suite_command("import", *arguments, "--out", "out")

    assert result.exit_code == 2
    assert message in result.output


def test_a_review_goes_out_comes_back_and_makes_a_version(small: Suite, tmp_path: Path) -> None:
    """Spreadsheet, records, new version, and the terminal says what changed."""
    sheet, records, out = tmp_path / "review.xlsx", tmp_path / "records.jsonl", tmp_path / "cut"
    assert NOT_REVIEWED in succeed("review", "export", small.path, "--out", sheet)
    book = load_workbook(sheet)
    blind, labels, edits = (book[name] for name in book.sheetnames)
    assert isinstance(blind, Worksheet)
    assert isinstance(labels, Worksheet)
    assert isinstance(edits, Worksheet)
    blind["B2"], blind["H7"], labels["H7"] = "reader-7", small.questions[0].correct.letter, "yes"
    for column, value in zip("ABCD", ("rsg-001", "stem", "A clearer stem?", "unclear"), strict=True):
        edits[f"{column}7"] = value
    book.save(sheet)

    read = succeed("review", "import", sheet, "--suite", small.path, "--out", records)
    cut = succeed("cut-version", small.path, "--records", records, "--version", "0.2.0", "--out", out)

    assert "answered as marked before seeing the labels: 1 of 1" in read
    assert "agreed with 1 of 1 labels" in read
    assert f"rsg-001 stem\n  - {small.questions[0].stem}\n  + A clearer stem?" in cut
    assert load_suite(out).question("rsg-001").stem == "A clearer stem?"
    assert "in_review 1" in (out / "DATASHEET.md").read_text(encoding="utf-8")
    again = suite_command("review", "import", sheet, "--suite", small.path, "--out", records)
    assert again.exit_code == 3
    assert "never written over" in again.output
