"""`gatekeeper check`: judge answers offline, with the very pipeline that serves."""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from gatekeeper.assessment import Judgement
from gatekeeper.bundle import load_bundle
from gatekeeper.envelope import assessment_of
from gatekeeper.errors import GatekeeperError, InvalidRequest
from gatekeeper.exchange import Completion
from gatekeeper.gate import Bundle, Gate, Timings
from gatekeeper.settings import POLICIES
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.request import parse_chat

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True)


class Line(BaseModel):
    """One exchange to judge. `tokens` has the rows of OpenAI's `logprobs.content`."""

    model_config = ConfigDict(extra="forbid")

    id: str | int | None = None
    evidence: list[str | dict[str, Any]] = []
    question: str = ""
    options: dict[str, str] | list[str | dict[str, Any]] | None = None
    answer: str
    tokens: list[dict[str, Any]] | None = None


@click.command("check")
@click.option(
    "--jsonl",
    type=_FILE,
    help="File of lines {id?, evidence[], question?, options?, answer, tokens?}; - reads standard input.",
)
@click.option("--evidence", type=_FILE, multiple=True, help="Text file of evidence; may be repeated.")
@click.option("--answer", help="The answer to judge, or @FILE.")
@click.option("--question", default="", help="The question it answers.")
@click.option("--policy", type=_FILE, default=POLICIES / "default.yaml", show_default=False)
@click.option("--calibration", type=_FILE, multiple=True, help="Calibration artefact; may be repeated.")
@click.option("--fingerprint", help="The model that gave the answers, to find its calibration by.")
@click.pass_context
def check_command(
    ctx: click.Context,
    jsonl: Path | None,
    evidence: tuple[Path, ...],
    answer: str | None,
    question: str,
    policy: Path,
    calibration: tuple[Path, ...],
    fingerprint: str | None,
) -> None:
    """Judge answers without a server: one JSON line out per exchange in.

    Exit code 1 when anything was held, 2 when a line could not be judged.
    """
    if (jsonl is None) == (answer is None):
        raise click.UsageError("give either --jsonl FILE, or --answer with --evidence")
    gate = offline(load_bundle(policy, calibration))
    lines = _from_file(jsonl) if jsonl else [_from_options(evidence, question, answer or "")]
    worst = 0
    for result in judge_lines(gate, lines, fingerprint):
        worst = max(worst, 2 if "error" in result else int(result["held"]))
        click.echo(orjson.dumps(result))
    ctx.exit(worst)


class _NoBackend:
    """Offline there is nothing to generate with."""


def offline(bundle: Bundle) -> Gate:
    """Return a gate that judges answers and has nobody to ask for any."""
    return Gate(_NoBackend(), bundle)  # type: ignore[arg-type]  # never asked


def judge_lines(
    gate: Gate, lines: Iterable[tuple[int, Mapping[str, Any] | None]], fingerprint: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the verdict on each line; a line that cannot be judged yields `{id, error}`."""
    for number, data in lines:
        name: object = number
        try:
            line = Line.model_validate(data)
            name = number if line.id is None else line.id
            yield {"id": name, **asyncio.run(_judge(gate, line, fingerprint))}
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(step) for step in problem["loc"])
            what = f"{where}: {problem['msg']}" if where else "is no JSON object"
            yield {"id": name, "error": f"line {number}: {what}"}
        except GatekeeperError as error:
            yield {"id": name, "error": f"line {number}: {error.message}"}


async def _judge(gate: Gate, line: Line, fingerprint: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": "offline",
        "messages": [{"role": "user", "content": line.question or "."}],
        "evidence": line.evidence,
        **({"options": line.options} if line.options else {}),
    }
    case = gate.read(parse_chat(body))
    completion = _completion(line, fingerprint)
    judgement = await gate.judge(case, completion, completion.answers[0], Timings())
    return {**_verdict(judgement), "evidence_state": case.evidence.state.value}


def _completion(line: Line, fingerprint: str | None) -> Completion:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": line.answer},
        "finish_reason": "stop",
        "logprobs": {"content": line.tokens} if line.tokens is not None else None,
    }
    return parse_chat_completion({"choices": [choice]}, backend="offline", fingerprint=fingerprint)


def _verdict(judgement: Judgement) -> dict[str, Any]:
    decision = judgement.decision
    assessment = assessment_of(judgement.assessment, quote=True)
    return {
        "action": decision.action.value,
        "held": decision.action.holds,
        "p_wrong": assessment["p_wrong"],
        "p_contradicted": assessment["p_contradicted"],
        "confidence": assessment["confidence"],
        "risk": assessment["risk"],
        "reasons": [reason.rule for reason in decision.reasons],
        "claims": assessment["claims"],
    }


def _from_file(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    source = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    with source:
        for number, raw in enumerate(source, start=1):
            if raw.strip():
                try:
                    yield number, orjson.loads(raw)
                except orjson.JSONDecodeError:
                    yield number, None


def _from_options(evidence: tuple[Path, ...], question: str, answer: str) -> tuple[int, dict[str, Any]]:
    try:
        text = Path(answer[1:]).read_text(encoding="utf-8") if answer.startswith("@") else answer
        documents = [path.read_text(encoding="utf-8") for path in evidence]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"a file cannot be read as UTF-8 text: {error}") from None
    return 1, {"evidence": documents, "question": question, "answer": text}
