"""What is sent to the service and what it answers, as types: strict, short, and nothing beside what is named.

What the engine gives is answered as the engine's own values; only what surrounds them is declared here.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)
from pydantic_core import PydanticCustomError

from engine.events import Override
from engine.screening import Match, Screening, Source

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOST_ANSWERS = 60
_LARGEST = 10**9


def _read_day(sent: Any) -> Any:
    """Only a day written in full: a number would be read as seconds since 1970, and quietly."""
    if isinstance(sent, str) and _DAY.fullmatch(sent):
        return sent
    raise PydanticCustomError("day", "not a day")


def _check_once(answers: tuple[Answered, ...]) -> tuple[Answered, ...]:
    """Two answers to one question: nobody could say which of them was taken."""
    if any(count > 1 for count in Counter(answer.fact for answer in answers).values()):
        raise PydanticCustomError("answered_twice", "a fact is answered twice")
    return answers


Day = Annotated[date, BeforeValidator(_read_day), Field(strict=False)]
Uprn = Annotated[str, Field(pattern=r"^[0-9]{1,12}$", description="The home's UPRN.")]
Applicant = Annotated[str, Field(
    pattern=r"^[!-~]([ -~]{0,38}[!-~])?$",
    description="An application's reference on the housing register, or a person's id.")]
Words = Annotated[str, Field(min_length=10, max_length=2000, pattern=r"\S", description="In words; they are kept.")]
ToldValue = (
    StrictBool | Annotated[StrictInt, Field(ge=-_LARGEST, le=_LARGEST)]
    | Annotated[StrictFloat, Field(ge=-_LARGEST, le=_LARGEST, allow_inf_nan=False)]
    | Annotated[StrictStr, Field(min_length=1, max_length=100)])


class Message(BaseModel):
    """Something sent: exactly the fields named, each exactly of its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answered(Message):
    """A fact somebody told the officer."""

    fact: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,79}$", description="Its name, from GET /questions.")]
    value: Annotated[ToldValue, Field(description="True or false, a number, a word, or a day written 2026-11-23.")]
    told_on: Annotated[Day, Field(description="The day it was told.")]


Answers = Annotated[tuple[Answered, ...], Field(max_length=MOST_ANSWERS, strict=False), AfterValidator(_check_once)]


class ScreeningAsked(Message):
    """Who, which home, and what has been told."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "applicant": "HR-1042", "uprn": "100030001234", "matches": True,
        "answers": [{"fact": "wheelchair_needed", "value": True, "told_on": "2026-11-23"}]}]})

    applicant: Applicant
    uprn: Uprn
    answers: Answers = ()
    matches: Annotated[bool, Field(description="Also other homes for the applicant, in the scheme's order.")] = False


class AnswersAdded(Message):
    """What has been told since."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "answers": [{"fact": "wheelchair_needed", "value": True, "told_on": "2026-11-23"}]}]})

    answers: Annotated[Answers, Field(min_length=1)]
    matches: bool = False


class ShortlistAsked(Message):
    """Which home."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"uprn": "100030001234"}]})

    uprn: Uprn


class OverrideAsked(Message):
    """Which hard conflict a manager sets aside, why, and what will be in place instead."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "rule": "allocation/witness-beside-party", "reason": "The order was discharged at court on 20 November 2026.",
        "mitigation": "Public protection confirms in writing before the keys are given."}]})

    rule: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9/_-]{0,119}$")]
    reason: Words
    mitigation: Words


class OfferAsked(Message):
    """That a person made the offer, and what the applicant said to what speaks against it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"applicant_view": "accepts"}]})

    applicant_view: Literal["accepts", "declines"] | None = None


class WithdrawalAsked(Message):
    """Why an offer no longer stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The applicant refused it on viewing."}]})

    reason: Words


class ScreeningKept(BaseModel):
    """A screening as it was kept: `digest` is the SHA-256 of its text, and `made_by` the name of a token."""

    id: str
    made_at: datetime
    made_by: str
    digest: str
    screening: Screening
    matches: tuple[Match, ...] | None


class Shortlist(BaseModel):
    """Who comes next for a home, in the scheme's order, which screening never changes."""

    uprn: str
    as_of: date
    applicants: tuple[Match, ...]


class Replayed(BaseModel):
    """A screening made again from what was known then, compared byte for byte with what was kept."""

    id: str
    identical: bool
    kept: Annotated[str, Field(description="SHA-256 of the text that was kept.")]
    made_again: Annotated[str, Field(description="SHA-256 of the text made again.")]


class Overrides(BaseModel):
    """Every override, oldest first."""

    overrides: tuple[Override, ...]


class Askable(BaseModel):
    """A fact an officer may be told: the question to say aloud, whose word is wanted, and what may be answered."""

    name: str
    title: str
    question: str
    of: Source
    type: Literal["integer", "decimal", "boolean", "code", "date"]
    unit: str
    values: tuple[str, ...]


class Askables(BaseModel):
    """Every fact that may be answered."""

    facts: tuple[Askable, ...]


class Health(BaseModel):
    """That the service answers, and as of which day."""

    status: Literal["up"]
    as_of: date
