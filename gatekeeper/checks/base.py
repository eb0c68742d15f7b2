"""What the gate asks of a check."""

from collections.abc import Sequence
from typing import Protocol

from gatekeeper.assessment import Finding, Subject


class Check(Protocol):
    """Reads one answer and says what it finds. Pure, or handed the backend that it calls.

    A check never decides anything. It may raise whatever it likes: the gate turns every exception
    and every timeout into an `unavailable` finding, and the policy says what follows.
    """

    @property
    def name(self) -> str:
        """The check's name in policies, metrics and findings."""

    @property
    def inline(self) -> bool:
        """Whether it runs in microseconds and never waits: it gets no task and no timer of its own."""

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return the findings of one answer, in order of claims."""
