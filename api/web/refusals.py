"""What the store, the desk or a run refused -> sentences for whoever was refused; and who was quicker."""

from __future__ import annotations

import re
from datetime import datetime

from api.web.keeping import name_user
from api.web.layout import say_time
from api.words import say_day
from engine.errors import Problem, WardwiseError
from engine.store.database import Reading
from engine.store.problems import StoreError, Unready

_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_SCREENING = re.compile(r"S\d{6,12}")
_VERBS = ("is ", "was ", "has ", "cannot ", "ends ", "names ")      # how what was found begins where it has no subject


def list_refusals(error: WardwiseError) -> list[str]:
    """What stands in the way and how to mend it, a sentence or two for each."""
    return [_say(problem) for problem in error.problems]


def say_refusal(error: WardwiseError) -> str:
    """The same as one text."""
    return " ".join(list_refusals(error))


def say_invalid(error: StoreError) -> str:
    """What the store would not keep, to whoever typed it. Raises the error again where it is about anything else."""
    if error.fault != "invalid" or isinstance(error, Unready):
        raise error
    return say_refusal(error)


def say_slower(reading: Reading, what: str, by: str, at: datetime, now: str = "") -> str:
    """Who changed something first, when, and what it is `now`."""
    said = f"{name_user(reading, by)} changed {what} on {say_time(at)}."
    return f"{said} It is now: {now.lower()}." if now else said


def _say(problem: Problem) -> str:
    said = end_sentence(_name_subject(problem))
    if problem.fix:
        said = f"{said} {end_sentence(problem.fix)}"
    return _DAY.sub(lambda day: say_day(day[0]), said)


def _name_subject(problem: Problem) -> str:
    """Where a problem is, is said in words or left out: it may be a path of the server."""
    if _SCREENING.fullmatch(problem.where):
        return f"this screening {problem.found}"
    if not problem.found.startswith(_VERBS):
        return problem.found
    if problem.where.startswith("run "):
        return f"this run {problem.found}"
    return f"{problem.where if problem.where.startswith('the ') else 'it'} {problem.found}"


def end_sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?", "!")) else ".")
