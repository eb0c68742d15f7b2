"""The one exchange that the rig sends: 3 KiB request with evidence, 60-token answer, 5 alternatives each."""

import itertools
import math
from typing import Any

import orjson

EVIDENCE = (
    "In patients with an eGFR of 30 mL/min or higher and no acute kidney injury, metformin may be "
    "continued after intravenous iodinated contrast. When the eGFR is below 30 mL/min, metformin is withheld "
    "at the time of the examination and kidney function is rechecked after 48 hours.",
    "For a single solid nodule of 6 to 8 mm in a low-risk adult, follow-up CT is due at 6 to 12 months. "
    "Solid nodules smaller than 6 mm need no routine follow-up in low-risk adults. Part-solid nodules of "
    "6 mm or more are followed at 3 to 6 months, then yearly for 5 years while the solid part stays small.",
    "After anaphylaxis to contrast medium, intramuscular epinephrine 0.3 mg is given without delay. A prior "
    "mild reaction is met by changing the agent; shellfish allergy needs no premedication.",
    "Prophylactic intravenous saline is considered for acute kidney injury or an eGFR below 30 mL/min in "
    "patients who are not on dialysis. Between 30 and 44 mL/min it is reserved for selected patients.",
)
ANSWER = (
    "Metformin may be continued after intravenous iodinated contrast when the eGFR is 30 mL/min or higher "
    "and there is no acute kidney injury. When the eGFR is below 30 mL/min, metformin is withheld at the "
    "time of the examination. Kidney function is then rechecked after 48 hours."
)
TOKENS = 60
_FILLER = "The department asks for short answers that name the threshold and the interval they rest on. "


def request_body(number: int) -> bytes:
    """Return one request; `number` makes it distinct."""
    return orjson.dumps(_request(number))


def request_without_evidence(number: int) -> bytes:
    """Return the same request with nothing to judge its answer by."""
    return orjson.dumps({**_request(number), "evidence": []})


def _request(number: int) -> dict[str, Any]:
    prompt = f"Case {number}. May metformin be continued after intravenous contrast, and what if not? "
    return {
        "model": "rig",
        "messages": [
            {"role": "system", "content": _FILLER * 12},
            {"role": "user", "content": prompt},
        ],
        "evidence": [f"{text} (Note {number}.)" for text in EVIDENCE],
        "temperature": 0,
    }


def response_body() -> bytes:
    """Return the rig's answer with its token probabilities, as an OpenAI server sends it."""
    return response_to(ANSWER, TOKENS)


def response_to(answer: str, count: int) -> bytes:
    """Return an answer of `count` tokens with their probabilities."""
    pieces = tokens(answer, count)
    rows = [_row(piece, position) for position, piece in enumerate(pieces)]
    body = {
        "id": "chatcmpl-rig",
        "object": "chat.completion",
        "created": 1_750_000_000,
        "model": "rig",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": answer},
                "logprobs": {"content": rows},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 700, "completion_tokens": len(pieces), "total_tokens": 700 + len(pieces)},
    }
    return orjson.dumps(body)


def tokens(text: str, count: int) -> list[str]:
    """Cut a text into `count` pieces of about equal length."""
    edges = [round(position * len(text) / count) for position in range(count + 1)]
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def _row(piece: str, position: int) -> dict[str, Any]:
    top = [(piece, 0.93), *((f"alt{k}x{position}", 0.07 / 2**k) for k in range(1, 5))]
    alternatives = [{"token": text, "logprob": math.log(p), "bytes": list(text.encode())} for text, p in top]
    return {**alternatives[0], "top_logprobs": alternatives}
