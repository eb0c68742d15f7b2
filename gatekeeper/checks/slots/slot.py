"""What all slot kinds share: a slot read from a text, and how two of them compare."""

from typing import Self, final


class Slot:
    """One value that a clause fills in, in the tokens `[first, last)`.

    `signature` names what may be compared with what: kind and measure or class, such as `number:length`
    or `agent:route`.
    """

    __slots__ = ("first", "last", "signature")

    def __init__(self, first: int, last: int, signature: str) -> None:
        self.first = first
        self.last = last
        self.signature = signature


class Rival(Slot):
    """A slot of which a clause may hold several; `anchors` are the concepts that tell it from the others."""

    __slots__ = ("anchors",)

    def __init__(self, first: int, last: int, signature: str, anchors: frozenset[str]) -> None:
        super().__init__(first, last, signature)
        self.anchors = anchors

    def told_by(self, anchors: frozenset[str]) -> Self:
        """Return it with the concepts that tell it from others."""
        raise NotImplementedError  # each kind makes its own; of this class alone no object is made


@final
class Match:
    """A slot of a claim met its counterpart in a statement; `differs` is the kind of slot, if it does.

    `claim` and `statement` are token ranges `[first, last)`. `concepts` are those of the claim that the
    slot itself speaks of: they say nothing of the subject.
    """

    __slots__ = ("claim", "concepts", "differs", "signature", "statement")

    def __init__(
        self,
        signature: str,
        claim: tuple[int, int],
        statement: tuple[int, int],
        differs: str | None,
        concepts: frozenset[str] = frozenset(),
    ) -> None:
        self.signature = signature
        self.claim = claim
        self.statement = statement
        self.differs = differs
        self.concepts = concepts

    @property
    def is_placed(self) -> bool:
        """Whether values met: numbers, categories, sides."""
        return self.signature.startswith(("number", "category", "laterality"))

    @property
    def is_term(self) -> bool:
        """Whether what met is a term too: agents, levels, populations."""
        return self.signature.startswith(("agent", "level", "population"))

    @property
    def is_agent(self) -> bool:
        """Whether agents met, whose names are terms too."""
        return self.signature.startswith("agent")
