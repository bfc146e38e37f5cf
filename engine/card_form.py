"""The fields of a card's file, as they are written; what they mean together is for `card` to say."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from engine.forms import STRICT
from engine.licence import Licence
from engine.rule import Axis, Band
from engine.schema import Subject

Needed = Literal["records", "days"]

MOST_FACTORS = 12
"""As many as an officer reads. On a public set of parolees a regression of 95 terms ranked people no better."""

Share = Annotated[float, Field(ge=0, le=1)]


class CardForm(BaseModel):
    """A whole card."""

    model_config = STRICT
    card: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str | None = None
    subject: Subject | None = None
    axis: Axis | None = None
    outcome: str | None = None
    status: Literal["trial", "live", "retired"] = "trial"
    licence: Licence = "rank"
    fitted: dict[str, Any] = Field(default_factory=dict)
    applies: Any = None
    needs: dict[Needed, Any] = Field(default_factory=dict)
    bands: dict[Band, Share] = Field(default_factory=dict)
    answer: Any = None
    factors: list[Any] = Field(max_length=MOST_FACTORS)
    scores: list[Any] = Field(min_length=1)
    workshop: dict[str, Any] = Field(default_factory=dict)      # for learning it again; never read here


class AnswerForm(BaseModel):
    """Who answers for a live card."""

    model_config = STRICT
    authority: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    review_by: date
    convene: list[str] = Field(min_length=1)


class FactorForm(BaseModel):
    """One fact a card asks."""

    model_config = STRICT
    fact: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    bins: list[Any] = Field(min_length=1)
    range: list[float] | None = Field(default=None, min_length=2, max_length=2)


class BinForm(BaseModel):
    """One line of a factor."""

    model_config = STRICT
    when: Any
    points: int = Field(ge=-10, le=10)
    share: Share


class NeedForm(BaseModel):
    """How much must be known before a card speaks."""

    model_config = STRICT
    fact: str
    least: float = Field(gt=0)


class ScoreForm(BaseModel):
    """One line of the table of totals."""

    model_config = STRICT
    from_: int = Field(alias="from")
    to: int
    probability: Share
    low: Share
    high: Share
    rows: int = Field(ge=0)
