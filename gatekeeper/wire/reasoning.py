"""Reasoning that a model writes into its content, told apart from the answer."""

from typing import Final, NamedTuple

_FAMILIES: Final = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<reason>", "</reason>"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<unused94>", "<unused95>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
"""Opening and closing marks: DeepSeek and Qwen, Cohere, Mistral, Kimi, MedGemma, gpt-oss and others."""


_FIRST: Final = tuple(sorted({mark[0] for family in _FAMILIES for mark in family}))


class Divided(NamedTuple):
    """Reasoning and the answer that follows it, both without surrounding marks."""

    reasoning: str
    answer: str


def divide(content: str) -> Divided:
    """Take leading reasoning off an answer.

    A missing opening mark (chat templates put it into the prompt) is supplied; without a closing mark
    everything is reasoning, because the model was cut off before it answered.
    """
    if not any(first in content for first in _FIRST):
        return Divided("", content)
    text = content.lstrip()
    for opening, closing in _FAMILIES:
        if text.startswith(opening):
            reasoning, _, answer = text.removeprefix(opening).partition(closing)
            return Divided(reasoning.strip(), answer.lstrip())
    for opening, closing in _FAMILIES:
        if closing in text and opening not in text.partition(closing)[0]:
            reasoning, _, answer = text.partition(closing)
            return Divided(reasoning.strip(), answer.lstrip())
    return Divided("", content)
