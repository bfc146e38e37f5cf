"""What somebody typed into a form -> words and days, and what is wrong with them: read and said alike on every page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from engine.contract import AGENCIES
from engine.prose import name_agency
from engine.store.words import LETTERS, LONGEST, say_unkeepable

WRONG_DAY = "Give the day as day/month/year, such as 8/12/2026"

_WRITTEN = ("%d/%m/%Y", "%d.%m.%Y", "%d %m %Y", "%Y-%m-%d")


@dataclass(frozen=True)
class Answer:
    """What a page says of a form that was sent: what is wrong by field, what was sent, and who was quicker."""

    errors: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, str] = field(default_factory=dict)
    slower: str = ""

    @property
    def status(self) -> int:
        """The status it is answered with."""
        return 409 if self.slower else 400 if self.errors else 200

    @property
    def wrong(self) -> list[dict[str, str]]:
        """For the summary at the top."""
        return list_errors(self.errors)

    def values(self) -> dict[str, Any]:
        """What a template needs to say it."""
        return {"errors": self.errors, "sent": self.sent, "slower": self.slower, "wrong": self.wrong}


def list_errors(errors: Mapping[str, str]) -> list[dict[str, str]]:
    """The lines of an error summary, each leading to its field."""
    return [{"text": text, "href": f"#{name}"} for name, text in errors.items()]


def read_words(typed: str) -> str:
    """Words as they are kept. A browser sends line ends as two characters."""
    return typed.replace("\r\n", "\n").strip()


def say_words(said: str, ask: str, least: int = LETTERS, most: int = LONGEST) -> str:
    """What is wrong with what somebody wrote: `ask` where it is too little; nothing where it will do."""
    if sum(map(str.isalpha, said)) < least:
        return ask
    if len(said) > most:
        return f"Say it in {most:,} characters or fewer"
    return "Type it again: it has a character that cannot be kept" if say_unkeepable("", "", said) else ""


def write_day(day: date) -> str:
    """A day for a field to be typed over, `8/12/2026`: a browser's own date field shows 12/08 on a machine set up for
    another country, and nobody would notice."""
    return f"{day.day}/{day.month}/{day.year}"


def read_day(typed: str) -> date | None:
    """A day as it was typed; None where it is none."""
    for written in _WRITTEN:
        try:
            return datetime.strptime(typed.strip(), written).date()
        except ValueError:
            continue
    return None


def say_due(due: date | None, today: date) -> str:
    """What is wrong with the day by which something is due."""
    if due is None:
        return WRONG_DAY
    return "Give today or a later day" if due < today else ""


def offer(names: Mapping[str, str]) -> list[dict[str, str]]:
    """Codes with their names, to choose from."""
    return [{"value": code, "text": name} for code, name in names.items()]


def offer_agencies(first: Iterable[str] = ()) -> list[dict[str, str]]:
    """Every agency, to choose from: those named first, the others by name."""
    ordered = dict.fromkeys([*first, *sorted(AGENCIES, key=name_agency)])
    return offer({"": "Choose an agency", **{code: name_agency(code) for code in ordered}})
