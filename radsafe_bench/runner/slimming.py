"""Keeping a record's size in proportion: alternatives are kept for the answer, not for the reasoning."""

from typing import Any

from gatekeeper.exchange import Answer, Completion, JsonObject, TokenSpan


def slim(completion: Completion) -> JsonObject:
    """Return the server's body without the alternatives of reasoning tokens.

    4,096 reasoning tokens with 20 alternatives each take some 8 MB; nothing that judges an answer reads
    them. The rows themselves stay, so that tokens align with the answer as before.
    """
    if not any(token.span is TokenSpan.REASONING for answer in completion.answers for token in answer.tokens):
        return completion.raw
    by_index = {answer.index: answer for answer in completion.answers}
    choices = [
        _slim_choice(choice, by_index[choice.get("index", position)])
        for position, choice in enumerate(completion.raw["choices"])
    ]
    return {**completion.raw, "choices": choices}


def _slim_choice(choice: JsonObject, answer: Answer) -> dict[str, Any]:
    rows = [
        _slim_row(row) if token.span is TokenSpan.REASONING else row
        for row, token in zip(choice["logprobs"]["content"], answer.tokens, strict=True)
    ]
    return {**choice, "logprobs": {**choice["logprobs"], "content": rows}}


def _slim_row(row: JsonObject) -> dict[str, Any]:
    kept = {key: value for key, value in row.items() if key != "top_logprobs"}
    if kept.get("bytes") == list(row["token"].encode()):
        del kept["bytes"]
    return kept
