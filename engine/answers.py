"""What somebody told the officer -> typed facts, set beside what is recorded.

An answer fills what is not known. Where a fact can change, a newer answer replaces the record. Anywhere else an answer
that contradicts a record settles nothing: the fact counts as not known until the two are reconciled.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.errors import Problem, ScreenError
from engine.feature import Feature
from engine.prose import join_words, show
from engine.recount import Counted
from engine.screening import Answer, Told, Value

LARGEST = 1_000_000
"""Nothing anybody is asked for is a larger number; what is larger was mistyped."""

_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True)
class Raw:
    """An answer as it was typed or sent."""

    fact: str
    value: object
    told_on: date


def read_answers(raws: Sequence[Raw], features: Mapping[str, Feature], as_of: date) -> tuple[Answer, ...]:
    """The answers, each of its fact's kind, ordered by fact. Raises ScreenError with everything wrong with them.

    No problem quotes the answer: it may be about somebody's health.
    """
    problems: list[Problem] = []
    answers: dict[str, Answer] = {}
    for raw in raws:
        feature = features.get(raw.fact)
        if feature is None or feature.ask_of is None:
            problems.append(Problem("answers", "a fact that nobody can be asked for",
                                    ", ".join(sorted(f.name for f in features.values() if f.ask_of)),
                                    "leave it out; the agency that holds it sends it"))
            continue
        if raw.fact in answers:
            problems.append(Problem(f"answers.{raw.fact}", "answered twice", "one answer to each fact",
                                    "keep the one that holds"))
        if raw.told_on > as_of:
            problems.append(Problem(f"answers.{raw.fact}", "told on a day that has not come",
                                    f"{as_of} or a day before it", "correct the day"))
        value = _read(raw.value, feature)
        if value is None:
            problems.append(Problem(f"answers.{raw.fact}", "not an answer to this question", _allowed(feature),
                                    "ask again, or leave it out: not known is an answer, too"))
        else:
            answers[raw.fact] = Answer(raw.fact, value, raw.told_on)
    if problems:
        raise ScreenError(sorted(set(problems)))
    return tuple(answers[fact] for fact in sorted(answers))


def take_answers(
    answers: Sequence[Answer], recorded: Mapping[str, Counted], features: Mapping[str, Feature],
    withheld: Collection[str],
) -> tuple[dict[str, Any], tuple[Told, ...]]:
    """The facts with the answers among them, and each answer with what became of it.

    A value that rests on no record (nobody has reported any hate) contradicts nobody. Of what is withheld from the
    officer, no note says whether a record agrees.
    """
    values, told = {name: counted.value for name, counted in recorded.items()}, []
    for answer in answers:
        feature, known = features[answer.fact], values[answer.fact]
        said = show(known, feature.unit)
        if known is None or not recorded[answer.fact].rows:
            values[answer.fact], note = answer.value, "nothing was recorded of it before"
        elif known == answer.value:
            note = f"as recorded: {said}"
        elif feature.changeable:
            values[answer.fact], note = answer.value, f"takes the place of what was recorded: {said}"
        else:
            values[answer.fact] = None
            note = f"the record says {said}, so this counts as not known until the two are reconciled"
        if answer.fact in withheld:
            note = "kept beside whatever is recorded"
        assert feature.ask_of is not None
        told.append(Told(answer.fact, feature.title, show(answer.value, feature.unit), answer.told_on,
                         feature.ask_of, note))
    return values, tuple(told)


# --- inside -------------------------------------------------------------------------------------


def _read(raw: object, feature: Feature) -> Value | None:
    """The value of the fact's kind, typed or as words from a command line; None when it is not one."""
    match feature.type:
        case "boolean":
            return raw if isinstance(raw, bool) else _TRUTHS.get(raw.strip().lower()) if isinstance(raw, str) else None
        case "integer" | "decimal":
            return _read_number(raw, whole=feature.type == "integer")
        case "code":
            return raw if isinstance(raw, str) and raw in feature.values else None
        case "date":
            return _read_day(raw)


def _read_number(raw: object, whole: bool) -> Value | None:
    if isinstance(raw, str):
        try:
            raw = float(raw)
        except ValueError:
            return None
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw) or abs(raw) > LARGEST:
        return None
    if whole:
        return int(raw) if raw == int(raw) else None
    return float(raw)


def _read_day(raw: object) -> date | None:
    if isinstance(raw, date):
        return raw
    try:
        return date.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None


def _allowed(feature: Feature) -> str:
    match feature.type:
        case "boolean":
            return "yes or no"
        case "code":
            return join_words(list(feature.values), "or")
        case "date":
            return "a day, as 2026-11-23"
        case _:
            return "a whole number" if feature.type == "integer" else "a number"
