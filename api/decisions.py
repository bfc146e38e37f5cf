"""What a person decided about a subject between two runs -> a note the next run respects."""

from __future__ import annotations

from datetime import date

from api.words import say_day, say_where
from engine.errors import Problem, UsageError
from engine.lists import Entry, Note
from engine.runs import Runs


def keep_snooze(runs: Runs, flag: str, until: date, reason: str, by: str) -> str:
    """Sets a subject aside until a day, and says what that does and does not do."""
    run, entry = find_entry(runs, flag)
    if until <= date.fromisoformat(run[:10]):
        raise UsageError(Problem("--until", f"{until} is not after the run of {run[:10]}",
                                 "a later day", "say until when it can wait"))
    _check_words(reason, by)
    runs.add_note(Note(entry.subject, "snoozed", until, reason.strip(), by.strip()))
    return (f"{_name(entry)} is set aside until {say_day(until)}. It comes back before then if it gets worse."
            + _say_floor(entry))


def keep_review(runs: Runs, flag: str, on: date, reason: str, by: str) -> str:
    """Notes that the agencies looked at a subject, and says what that does."""
    _, entry = find_entry(runs, flag)
    _check_words(reason, by)
    runs.add_note(Note(entry.subject, "reviewed", on, reason.strip(), by.strip()))
    return (f"{_name(entry)} is noted as reviewed on {say_day(on)}. It cools down from the next run on, and "
            "comes back if it gets worse." + _say_floor(entry))


def find_entry(runs: Runs, flag: str) -> tuple[str, Entry]:
    """The latest run that put a subject forward, and its entry. Raises UsageError."""
    subject = flag.partition("@")[0]
    for run in reversed(runs.names()):
        for entries in runs.entries(run).values():
            if subject in entries:
                return run, entries[subject]
    raise UsageError(Problem(flag, "no run has put this subject forward", "a subject from `wardwise list --all`",
                             "check the id: people are P and six digits, places level:key, offers their reference"))


def _check_words(reason: str, by: str) -> None:
    if not reason.strip() or not by.strip():
        raise UsageError(Problem("--reason and --by", "left blank", "a reason and a name or post",
                                 "whoever reads the list next needs both"))


def _say_floor(entry: Entry) -> str:
    if any(axis.floor == "convene" for axis in entry.axes):
        return " It stays on the list all the same: it rests on a legal right or duty, which nobody sets aside here."
    return ""


def _name(entry: Entry) -> str:
    return say_where({"subject": entry.subject, "name": entry.name})
