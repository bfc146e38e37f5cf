"""What can go wrong, said so that the person who must act can act.

    WardwiseError                     exit code
    ├── RuleError       rule authors      3     a pack that does not hold together
    ├── ExtractError    data suppliers    4     a file that cannot be read, or a feed refused whole
    ├── RunError        operators         5     a run that cannot be made, found or replayed
    ├── ScreenError     housing officers  6     an offer that cannot be screened, overridden or recorded as asked
    ├── StoreError      operators         7     a store that is not ready, or a change somebody else was faster with
    └── UsageError      whoever typed it  2

Every error carries *all* the problems found, each with where, what was found, what is allowed and how
to mend it. No problem text may hold a person's value: those stay in the quarantine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Fault = Literal["not_found", "conflict", "invalid", "forbidden"]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong: `where` is file:line or table.column, row; `fix` is what to do next."""

    where: str
    found: str
    allowed: str = ""
    fix: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.found}"]
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.fix:
            parts.append(f"to mend: {self.fix}")
        return "\n    ".join(parts)


class WardwiseError(Exception):
    """The root: shown to the user as its problems, never as a traceback."""

    exit_code = 1

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(WardwiseError):
    """The command was given something it cannot use."""

    exit_code = 2


class RuleError(WardwiseError):
    """A rule, feature, feed or policy file does not hold together."""

    exit_code = 3


class ExtractError(WardwiseError):
    """A partner's file cannot be read, or so much of it is refused that none is used."""

    exit_code = 4


class RunError(WardwiseError):
    """A run cannot be made, found or replayed."""

    exit_code = 5


class ScreenError(WardwiseError):
    """An offer cannot be screened, overridden or recorded as asked; `fault` says which way it is wrong.

    not_found: nobody, or no home, of that name. conflict: what is recorded stands against it (a home already let).
    invalid: the request itself (an answer of the wrong type). forbidden: not with the asker's rights.
    """

    exit_code = 6

    def __init__(self, problems: Problem | Iterable[Problem], fault: Fault = "invalid") -> None:
        super().__init__(problems)
        self.fault = fault
