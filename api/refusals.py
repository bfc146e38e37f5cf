"""What a request got wrong, as the type checker tells it -> problems in plain words that never say what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.errors import Problem

_FIX = "send it as the OpenAPI description says"
_VALUE = ("not a value that can be told", "true or false, a number between -1,000,000,000 and 1,000,000,000, or a text "
          "of 1 to 100 characters", "GET /api/v1/questions says what each fact takes")
_WORDS: Mapping[str, tuple[str, str, str]] = {
    "missing": ("missing", "", "send it"),
    "extra_forbidden": ("a field that is not known here", "the fields of the OpenAPI description", "leave it out"),
    "json_invalid": ("not JSON", "a JSON object", "check brackets, commas and quotes"),
    "string_type": ("not a text", "a text in quotes", _FIX),
    "string_unicode": ("not a text that can be written down", "whole Unicode characters", _FIX),
    "string_pattern_mismatch": ("not of the form expected", "{form}", "correct it"),
    "string_too_short": ("too short", "at least {min_length} characters", "say it in words"),
    "string_too_long": ("too long", "at most {max_length} characters", "say it shorter"),
    "bool_type": ("neither true nor false", "true or false, without quotes", _FIX),
    "day": ("not a day", "a day written like 2026-11-23", "write the day in full"),
    "date_from_datetime_parsing": ("not a day of the calendar", "a day written like 2026-11-23", "correct the day"),
    "date_parsing": ("not a day of the calendar", "a day written like 2026-11-23", "correct the day"),
    "literal_error": ("not one of the words allowed", "{expected}", "use one of them"),
    "tuple_type": ("not a list", "a list", _FIX),
    "too_long": ("too many", "at most {max_length}", "send what matters now, and the rest afterwards"),
    "too_short": ("empty", "at least {min_length}", "send one at least"),
    "answered_twice": ("the same fact is answered twice", "one answer for each fact", "send the latest answer only"),
    "model_attributes_type": ("not an object with named fields", "a JSON object", _FIX),
    "model_type": ("not an object with named fields", "a JSON object", _FIX),
}
_FORMS: Mapping[str, str] = {
    "applicant": "an application's reference or a person's id: at most 40 letters, figures and signs, no blank at "
                 "either end",
    "uprn": "a UPRN: 1 to 12 figures",
    "fact": "a fact's name from GET /api/v1/questions",
    "rule": "a rule's id as the screening names it",
    "screening": "S and six figures or more: S000001",
    "offer": "OF and six figures or more: OF000001",
    "Idempotency-Key": "1 to 64 letters, figures and signs, without blanks",
}
"""What is meant by each pattern, for people."""

_OTHERWISE = ("not what is expected here", "what the OpenAPI description says", _FIX)


def describe_refusals(errors: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """One problem for each place that is wrong, in the order they stand."""
    found: dict[str, Problem] = {}
    for error in errors:
        place = list(error["loc"])
        if error["type"] == "extra_forbidden":
            place = place[:-1]          # its name was made up by whoever sent it
        told = "value" in place[1:]
        if told:
            place = place[:place.index("value") + 1]        # the rest names the kinds of value that were tried
        if error["type"] == "json_invalid":
            place = ["body", f"character {place[-1]}"]
        words = _VALUE if told and error["type"] != "missing" else _WORDS.get(error["type"], _OTHERWISE)
        where = _say_where(place)
        limits = {**(error.get("ctx") or {}), "form": _FORMS.get(str(place[-1]), "words")}
        found.setdefault(where, Problem(where, *_fill(words, limits)))
    return tuple(found.values())


def _say_where(place: Sequence[str | int]) -> str:
    said = ""
    for part in place:
        said += f"[{part}]" if isinstance(part, int) else f".{part}" if said else str(part)
    return said


def _fill(words: tuple[str, str, str], limits: Mapping[str, Any]) -> tuple[str, str, str]:
    """Limits are ours and may be said; what was sent may not."""
    found, allowed, fix = words
    for name in ("form", "min_length", "max_length", "expected"):
        allowed = allowed.replace("{" + name + "}", str(limits.get(name, "")))
    return found, allowed, fix
