"""`gatekeeper check`: offline verdicts, one JSON line per exchange."""

from pathlib import Path

import orjson
from click.testing import CliRunner, Result

from gatekeeper.cli import main

EVIDENCE = (
    "For a single solid nodule of 6 to 8 mm in a low-risk adult, follow-up CT is due at 6 to 12 months."
)
RIGHT = "For a single solid nodule of 7 mm in a low-risk adult, follow-up CT is due at 6 to 12 months."
WRONG = RIGHT.replace("6 to 12", "24 to 36")


def run(*arguments: str, stdin: str | None = None) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["check", *arguments], input=stdin)


def test_lines_are_judged_one_by_one(tmp_path: Path) -> None:
    """Each line gets its own verdict, under its own id, and a held one makes the exit code 1."""
    path = tmp_path / "exchanges.jsonl"
    lines = [
        {"id": "right", "evidence": [EVIDENCE], "answer": RIGHT},
        {"id": "wrong", "evidence": [EVIDENCE], "answer": WRONG},
        {"evidence": [], "answer": RIGHT},
    ]
    path.write_bytes(b"\n".join(orjson.dumps(line) for line in lines))
    result = run("--jsonl", str(path))
    verdicts = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [verdict["id"] for verdict in verdicts] == ["right", "wrong", 3]
    assert [verdict["action"] for verdict in verdicts] == ["annotate", "escalate", "abstain"]
    assert verdicts[1]["p_contradicted"] >= 0.5
    assert verdicts[1]["claims"][0]["text"] == WRONG


def test_token_probabilities_count(tmp_path: Path) -> None:
    """With tokens the confidence is read and a right answer is released, exit code 0."""
    evidence = tmp_path / "evidence.txt"
    evidence.write_text(EVIDENCE)
    words = [word if n == 0 else f" {word}" for n, word in enumerate(RIGHT.split(" "))]
    tokens = [{"token": word, "logprob": -0.01, "top_logprobs": []} for word in words]
    line = orjson.dumps({"evidence": [EVIDENCE], "answer": RIGHT, "tokens": tokens}).decode()
    result = run("--jsonl", "-", stdin=line)
    (verdict,) = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert (result.exit_code, verdict["action"], verdict["confidence"]["quality"]) == (0, "release", "full")


def test_multiple_choice(tmp_path: Path) -> None:
    """A letter is read as the claim that its option makes."""
    options = {"A": "6 to 12 months", "B": "24 to 36 months"}
    stem = "When is follow-up CT due for a single solid nodule of 7 mm in a low-risk adult?"
    lines = [
        {"evidence": [EVIDENCE], "question": stem, "options": options, "answer": letter}
        for letter in ("A", "B")
    ]
    result = run("--jsonl", "-", stdin="\n".join(orjson.dumps(line).decode() for line in lines))
    verdicts = [orjson.loads(line)["claims"][0]["verdict"] for line in result.stdout.splitlines()]
    assert verdicts == ["supported", "contradicted"]


def test_one_exchange_from_options(tmp_path: Path) -> None:
    """Evidence from a file and an answer on the command line need no JSON."""
    evidence = tmp_path / "evidence.txt"
    evidence.write_text(EVIDENCE)
    result = run("--evidence", str(evidence), "--answer", WRONG)
    assert (result.exit_code, orjson.loads(result.stdout)["action"]) == (1, "escalate")


def test_a_broken_line_is_named_and_the_others_are_judged() -> None:
    """A line that is no exchange becomes an error of its own; nothing after it is lost."""
    good = orjson.dumps({"id": "good", "evidence": [EVIDENCE], "answer": RIGHT}).decode()
    result = run("--jsonl", "-", stdin=f"not json\n{{}}\n{good}\n")
    first, second, third = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 2
    assert first["error"] == "line 1: is no JSON object"
    assert "answer" in second["error"]
    assert third["id"] == "good"


def test_usage() -> None:
    """Without an answer to judge, the command says what it needs."""
    result = run()
    assert result.exit_code == 2
    assert "--jsonl" in result.output
