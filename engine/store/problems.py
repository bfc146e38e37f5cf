"""What can go wrong in the store. No text here holds a person's value, nor the address of the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from engine.errors import Fault, Problem, WardwiseError


class StoreError(WardwiseError):
    """Something cannot be kept, found or changed as asked; `fault` says which way it is wrong, as on a ScreenError."""

    exit_code = 7

    def __init__(self, problems: Problem | Iterable[Problem], fault: Fault = "invalid") -> None:
        super().__init__(problems)
        self.fault = fault


class Unready(StoreError):
    """The database is not there, is busy, or is not of the version this Wardwise works with."""


class Missing(StoreError):
    """Nothing of that id."""

    def __init__(self, what: str, fix: str = "open it again from its list") -> None:
        # What was asked for is not repeated: it may be a name.
        super().__init__(Problem(what, "nothing is kept under this id", "an id from one of the pages", fix),
                         "not_found")


class Stale(StoreError):
    """Somebody else was quicker: `by` (a user id) changed it `at` that moment to `state`; `version` is what it has now.

    `flag` is the flag to go on with, which is another one where a later run took its place.
    """

    def __init__(self, what: str, by: str, at: datetime, state: str, version: int, flag: str = "") -> None:
        self.what, self.by, self.at, self.state, self.version, self.flag = what, by, at, state, version, flag
        super().__init__(Problem(
            what, f"was changed by user {by} at {at.isoformat(timespec='seconds')}, to {state.replace('_', ' ')}",
            f"version {version}, which is what is kept now",
            "nothing of yours was written; read what is there now, and decide again"), "conflict")
