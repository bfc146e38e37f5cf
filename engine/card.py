"""models/cards/<name>.yaml -> a card of points, each mistake with its file and line.

A card adds whole points over at most 12 factors and reads its total off a table. Its bins are conditions like a
rule's, so it is evaluated, put in columns and said in words by the same code. Whether its facts exist and may be used
is for `admission` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from engine.card_form import AnswerForm, BinForm, CardForm, FactorForm, Needed, NeedForm, ScoreForm
from engine.condition import All, Any_, Condition, Known, exists_in, names_in, rules_in
from engine.documents import Located
from engine.errors import Problem, RuleError
from engine.factor import Bin, Factor, check_factor
from engine.forms import fill_form, read_when, read_whole
from engine.licence import ENOUGH_EVENTS, ENOUGH_ROWS, LEAST_ROWS, LICENCES, Licence, licence_for
from engine.rule import BANDS, Axis, Band
from engine.schema import Subject


@dataclass(frozen=True)
class ScoreRow:
    """The totals `first` to `last`: how likely the outcome is, between `low` and `high`, learned from `rows` cases."""

    first: int
    last: int
    probability: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Need:
    """How much must be known of a case before the card speaks: `fact` at `least` so high."""

    kind: Needed
    fact: str
    least: float


@dataclass(frozen=True)
class Answerable:
    """Who answers for a live card: what it may rest on, its owner, until when, and whom it brings together."""

    authority: str
    owner: str
    review_by: date
    convene: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """A whole card. `applies`: whom it may be asked about; `bands`: the probability from which each band begins.

    `answer`: who answers for it, once it is live; `text`: the file as it was read, kept with every run that used it.
    """

    name: str
    title: str
    subject: Subject | None
    axis: Axis | None
    outcome: str | None
    status: Literal["trial", "live", "retired"]
    licence: Licence
    fitted: Mapping[str, Any]
    factors: tuple[Factor, ...]
    scores: tuple[ScoreRow, ...]
    applies: Condition | None
    needs: tuple[Need, ...]
    bands: Mapping[Band, float]
    answer: Answerable | None
    where: str
    text: str = field(repr=False)
    digest: str

    @property
    def least(self) -> int:
        """The lowest total anybody can have."""
        return sum(factor.least for factor in self.factors)

    @property
    def most(self) -> int:
        """The highest total anybody can have."""
        return sum(factor.most for factor in self.factors)

    @property
    def reach(self) -> int | None:
        """The lowest total that falls in a band; none where no total does, or where it may say no chance."""
        if self.licence != "probability" or not self.bands:
            return None
        edge = min(self.bands.values())
        return next((row.first for row in self.scores if row.low >= edge), None)

    def in_force(self, as_of: date) -> bool:
        """Whether it may lift a band: live, and not past the day it has to be reviewed by."""
        return self.status == "live" and self.answer is not None and self.answer.review_by >= as_of

    def row_of(self, total: int) -> ScoreRow:
        """The row of the table that a total falls in."""
        return next(row for row in self.scores if row.first <= total <= row.last)

    @property
    def reads(self) -> tuple[str, ...]:
        """Every fact it looks at, each once: to decide whether it applies, to count, to know whether it may speak."""
        asked = names_in(self.applies) if self.applies is not None else ()
        return tuple(dict.fromkeys((*asked, *(f.fact for f in self.factors), *(n.fact for n in self.needs))))

    @property
    def condition(self) -> Condition:
        """All it looks at as one condition, `applies` first: what is said about rules can be said about it."""
        bins = [each.when for factor in self.factors for each in factor.bins]
        asked = Any_((*bins, *(Known(need.fact) for need in self.needs)))
        first = self.applies.parts if isinstance(self.applies, All) else (self.applies,)
        return All((*(part for part in first if part is not None), asked))


def read_cards(folder: Path) -> tuple[Card, ...]:
    """The cards in a folder, by name. Raises RuleError with every problem of every file."""
    problems: list[Problem] = []
    cards: dict[str, Card] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            card = read_card(path)
        except RuleError as error:
            problems += error.problems
            continue
        if card.name in cards:
            problems.append(Problem(card.where, f"card `{card.name}` is given twice", "each name once",
                                    f"see {cards[card.name].where}"))
        cards[card.name] = card
    if problems:
        raise RuleError(sorted(problems))
    return tuple(cards[name] for name in sorted(cards))


def read_card(path: Path) -> Card:
    """The card in a file. Raises RuleError with every problem, by file:line."""
    problems: list[Problem] = []
    document = read_whole(path, problems)
    card = _read(document, path, problems) if document is not None else None
    if card is None or problems:
        raise RuleError(sorted(problems))
    return card


# --- reading ------------------------------------------------------------------------------------

def _read(document: Located, path: Path, problems: list[Problem]) -> Card | None:
    form = fill_form(CardForm, document, problems)
    if form is None:
        return None
    applies = read_when(document, "applies", problems) if form.applies is not None else None
    factors = [factor for raw, entry in _entries(document, "factors", FactorForm, problems)
               if (factor := _factor(raw, entry, problems)) is not None]
    scores = [ScoreRow(*entry.model_dump().values()) for _, entry in _entries(document, "scores", ScoreForm, problems)]
    needs = [Need(kind, entry.fact, entry.least) for kind in form.needs
             if (entry := _need(document["needs"], kind, problems)) is not None]
    if (len(factors), len(scores)) != (len(form.factors), len(form.scores)):
        return None
    card = Card(
        form.card, form.title or form.card.replace("_", " "), form.subject, form.axis, form.outcome, form.status,
        form.licence, form.fitted, tuple(factors), tuple(scores), applies, tuple(needs),
        {band: form.bands[band] for band in BANDS if band in form.bands}, _answer(document, problems),
        document.where("card"), path.read_text(encoding="utf-8"), sha256(path.read_bytes()).hexdigest())
    problems += _check(card, document)
    return card


def _entries(document: Located, key: str, form: Any, problems: list[Problem]) -> list[tuple[Located, Any]]:
    """The mappings of a list, each as written and filled in."""
    found = []
    for raw in document[key]:
        if not isinstance(raw, Located):
            problems.append(Problem(document.where(key), f"`{raw}` in `{key}`", "a mapping for each line"))
        elif (entry := fill_form(form, raw, problems)) is not None:
            found.append((raw, entry))
    return found


def _factor(raw: Located, form: FactorForm, problems: list[Problem]) -> Factor | None:
    bins = [Bin(when, entry.points, entry.share) for line, entry in _entries(raw, "bins", BinForm, problems)
            if (when := read_when(line, "when", problems)) is not None]
    if len(bins) < len(form.bins):
        return None
    ends = (form.range[0], form.range[1]) if form.range else None
    factor = Factor(form.fact, tuple(bins), ends, raw.where())
    problems += check_factor(factor)
    return factor


def _answer(document: Located, problems: list[Problem]) -> Answerable | None:
    raw = document.get("answer")
    if raw is None:
        return None
    if not isinstance(raw, Located):
        problems.append(Problem(document.where("answer"), f"`answer: {raw}`", "authority, owner, review_by, convene"))
        return None
    form = fill_form(AnswerForm, raw, problems)
    return Answerable(form.authority, form.owner, form.review_by, tuple(form.convene)) if form is not None else None


def _need(needs: Located, kind: Needed, problems: list[Problem]) -> NeedForm | None:
    raw = needs[kind]
    if isinstance(raw, Located):
        return fill_form(NeedForm, raw, problems)
    problems.append(Problem(needs.where(kind), f"`{kind}: {raw}`", "{fact: reports_730d, least: 3}"))
    return None


# --- checking one card --------------------------------------------------------------------------


def _check(card: Card, document: Located) -> list[Problem]:
    at = document.where
    names = [factor.fact for factor in card.factors]
    problems = [Problem(factor.where, f"`{factor.fact}` is asked twice", "each fact once")
                for n, factor in enumerate(card.factors) if factor.fact in names[:n]]
    if (card.subject is None) != (card.axis is None):
        problems.append(Problem(at("subject"), f"subject {card.subject} with axis {card.axis}", "both or neither",
                                "say what is counted about whom: harm and vulnerability are never added"))
    if card.status == "live" and card.answer is None:
        problems.append(Problem(at("status"), "a live card that nobody answers for",
                                "`answer:` with authority, owner, review_by and convene",
                                "a card on trial needs none; whoever makes it live signs for it"))
    if card.applies is not None and (rules_in(card.applies) or exists_in(card.applies)):
        problems.append(Problem(at("applies"), "`applies` reads more than facts of the subject", "clauses on facts"))
    edges = list(card.bands.values())
    if sorted(set(edges), reverse=True) != edges:
        problems.append(Problem(at("bands"), f"`bands` at {', '.join(map(str, edges))}", "falling in this order"))
    return [*problems, *_check_licence(card, at("licence")), *_check_scores(card, document)]


def _check_licence(card: Card, at: str) -> list[Problem]:
    """A card may say less than what it was fitted on allows, and never more."""
    rows, events = card.fitted.get("rows"), card.fitted.get("events")
    allowed: Licence = "rank"
    said = "`fitted` does not say how many rows and events"
    if isinstance(rows, int | float) and isinstance(events, int | float):
        allowed, said = licence_for(rows, events), f"{rows} rows and {events} events"
    if LICENCES.index(card.licence) <= LICENCES.index(allowed):
        return []
    return [Problem(at, f"licence `{card.licence}`, and {said}", f"at most `{allowed}`",
                    f"a chance needs {ENOUGH_ROWS} rows and {ENOUGH_EVENTS} events; below {LEAST_ROWS} rows: silent")]


def _check_scores(card: Card, document: Located) -> list[Problem]:
    """Rows that follow each other and cover every total, with chances that never fall."""
    rows, lines = card.scores, [raw.where() for raw in document["scores"]]
    problem = partial(Problem, fix="every total must fall in exactly one row, and more points never mean less likely")
    found = [problem(at, f"low {row.low}, probability {row.probability}, high {row.high}", "low <= probability <= high")
             for at, row in zip(lines, rows, strict=True) if not row.low <= row.probability <= row.high]
    found += [problem(at, f"from {row.first} to {row.last}", "from <= to")
              for at, row in zip(lines, rows, strict=True) if row.first > row.last]
    for at, (before, row) in zip(lines[1:], pairwise(rows), strict=True):
        if row.first != before.last + 1:
            found.append(problem(at, f"from {row.first}, after a row to {before.last}", f"from {before.last + 1}"))
        if row.probability < before.probability:
            found.append(problem(at, f"probability {row.probability}, after {before.probability}",
                                 f"at least {before.probability}"))
    if rows[0].first > card.least:
        found.append(problem(lines[0], f"the lowest row begins at {rows[0].first}", f"{card.least} or lower"))
    if rows[-1].last < card.most:
        found.append(problem(lines[-1], f"the highest row ends at {rows[-1].last}", f"{card.most} or higher"))
    return found

