"""What goes wrong with the files of a suite."""

from collections.abc import Sequence

from gatekeeper.errors import GatekeeperError


class SuiteError(GatekeeperError):
    """A suite, batch, spreadsheet or data-set file cannot be used.

    `problems` names each place and what is wrong there, one line each.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__("\n  ".join([message, *problems]))
        self.problems = tuple(problems)
