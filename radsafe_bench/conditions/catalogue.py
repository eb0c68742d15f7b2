"""The conditions by name."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from gatekeeper.errors import ConfigurationError


class Condition(StrEnum):
    """What a question is asked with.

    The first six are the protocol's, the next three its controls; `published_report` puts the report
    that an imported suite brings in place of one made by the model.
    """

    CLOSED_BOOK = "closed_book"
    CLEAN_EVIDENCE = "clean_evidence"
    CONFLICT_EVIDENCE = "conflict_evidence"
    STANDARD_RAG = "standard_rag"
    AGENTIC_RAG = "agentic_rag"
    MAX_CONTEXT = "max_context"
    STANDARD_RAG_TOP_1 = "standard_rag_top_1"
    STANDARD_RAG_TOP_5 = "standard_rag_top_5"
    PADDED_TOP_1 = "padded_top_1"
    PUBLISHED_REPORT = "published_report"


MAIN: Final = tuple(Condition)[:6]
CONTROLS: Final = (Condition.STANDARD_RAG_TOP_1, Condition.STANDARD_RAG_TOP_5, Condition.PADDED_TOP_1)
TOP_K: Final = {
    Condition.STANDARD_RAG: 10,
    Condition.STANDARD_RAG_TOP_1: 1,
    Condition.STANDARD_RAG_TOP_5: 5,
}
RETRIEVING: Final = frozenset({*TOP_K, Condition.PADDED_TOP_1, Condition.AGENTIC_RAG, Condition.MAX_CONTEXT})

_GROUPS: Final = {"all": MAIN, "controls": CONTROLS}


def select(names: Iterable[str]) -> tuple[Condition, ...]:
    """Return conditions by name, each once, in the catalogue's order.

    `all` stands for the six main ones, `controls` for the three that vary what is retrieved. Raises
    ConfigurationError for a name that is none.
    """
    chosen: set[Condition] = set()
    for name in names:
        try:
            chosen.update(_GROUPS.get(name) or (Condition(name),))
        except ValueError:
            known = ", ".join([*_GROUPS, *Condition])
            raise ConfigurationError(f"there is no condition {name}; there are {known}") from None
    return tuple(condition for condition in Condition if condition in chosen)
