"""The conditions under which a question is asked: what stands before it, and how it is worded."""

from radsafe_bench.conditions.agentic import NoReport, Reply, Research, Researcher
from radsafe_bench.conditions.catalogue import CONTROLS, MAIN, RETRIEVING, Condition, select
from radsafe_bench.conditions.context import Context
from radsafe_bench.conditions.contexts import Contexts, why_not
from radsafe_bench.conditions.prompt import PROMPT_VERSION, question_body, template_digest
from radsafe_bench.conditions.window import MaxContext, Window

__all__ = [
    "CONTROLS",
    "MAIN",
    "PROMPT_VERSION",
    "RETRIEVING",
    "Condition",
    "Context",
    "Contexts",
    "MaxContext",
    "NoReport",
    "Reply",
    "Research",
    "Researcher",
    "Window",
    "question_body",
    "select",
    "template_digest",
    "why_not",
]
