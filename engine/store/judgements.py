"""What people's decisions say of the rules, and of how people decide: counted, with intervals, over the last cycles.

A cycle is one publication. A flag is decided where it stands confirmed, declined or redirected; its share is confirmed
of decided. Flags held for somebody else's eyes are counted nowhere: a difference would tell that they are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import sqrt
from statistics import median
from typing import Any, Literal

from sqlalchemy import func, select

from engine.store.database import Reading
from engine.store.flags import Publication
from engine.store.tables import DECIDED_STATES, first_bands, flags, labels, publications, reviews

WINDOW = 6          # cycles looked back on: a quarter of fortnightly meetings, enough to count and still the same rules
TOO_FEW = 10        # decided: with fewer the interval is wider than half of everything there is
LAST = 50           # reviews of one person (requirement R17)
MOST_AGREEING, LEAST_SECONDS = 0.98, 60     # the same: above it, or below it, nobody seems to be looking
APART = 0.10        # between lower bounds of two groups (requirement R11)
_Z = 1.959963984540054      # of a normal distribution 95 % lie within so many deviations
_HELD = ("restricted", "routed")
_CLEAR = ("convene", "discuss")     # bands that say: bring agencies together. Nobody agrees with, or against, a "watch"

Kind = Literal["rule", "list", "theme", "axis", "ward", "change"]
Standing = Literal["", "too_few", "look_again", "stop"]
_LABELLED = ("rule", "theme")       # a flag may have several; each counts it


@dataclass(frozen=True)
class Limits:
    """When a rule is looked at again: below `confirmed_below` in each of `cycles`; stopped below `stop_below`.

    Requirement R11; the partnership's own numbers stand in rules/policy.yaml under `early_warning`.
    """

    confirmed_below: float = 0.30
    cycles: int = 3
    stop_below: float = 0.10


@dataclass(frozen=True)
class Tally:
    """How many flags were decided each way."""

    confirmed: int = 0
    declined: int = 0
    redirected: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.confirmed + other.confirmed, self.declined + other.declined,
                     self.redirected + other.redirected)

    @property
    def decided(self) -> int:
        """All of them."""
        return self.confirmed + self.declined + self.redirected

    @property
    def share(self) -> float | None:
        """Confirmed of decided; None where nothing is decided."""
        return self.confirmed / self.decided if self.decided else None

    @property
    def interval(self) -> tuple[float, float]:
        """What the share may be with 95 % confidence; everything where nothing is decided."""
        return find_interval(self.confirmed, self.decided)


@dataclass(frozen=True)
class Group:
    """The decided flags of one rule, list, ... by cycle, oldest first. An empty name: not known."""

    kind: Kind
    name: str
    cycles: tuple[Tally, ...]

    @property
    def whole(self) -> Tally:
        """All cycles together."""
        return sum(self.cycles, Tally())

    def stand(self, limits: Limits) -> Standing:
        """What follows from it. A cycle in which nothing was decided says nothing and is passed over."""
        if self.whole.decided < TOO_FEW or self.whole.share is None:
            return "too_few"
        if self.whole.share < limits.stop_below:
            return "stop"
        last = [one for one in self.cycles if one.decided][-limits.cycles:]
        low = len(last) == limits.cycles and all((one.share or 0.0) < limits.confirmed_below for one in last)
        return "look_again" if low and sum(one.decided for one in last) >= TOO_FEW else ""


@dataclass(frozen=True)
class Gap:
    """Two groups of one kind whose lower bounds are too far apart. `surely`: their intervals do not even touch."""

    higher: Group
    lower: Group
    apart: float
    surely: bool


@dataclass(frozen=True)
class Habit:
    """How somebody reviewed of late: at most their last 50 of each sort.

    `agreed` of `compared`: confirmed where we said convene or discuss. `first_alike` of `first`: their own band,
    given before ours was shown, was ours. `opened`: reviews before which some evidence was opened.
    """

    reviewer: str
    reviews: int
    compared: int
    agreed: int
    timed: int
    seconds: float | None
    opened: int
    first: int
    first_alike: int
    overrides: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def always_agrees(self) -> bool:
        """Whether they agreed more often than somebody who looks would, over 50 decisions."""
        return self.compared >= LAST and self.agreed / self.compared > MOST_AGREEING

    @property
    def hurries(self) -> bool:
        """Whether half of their reviews took less time than reading a flag does."""
        return self.timed >= TOO_FEW and self.seconds is not None and self.seconds < LEAST_SECONDS


def find_interval(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (JASA 1927): the shares under which `hits` would be no surprise."""
    if of == 0:
        return 0.0, 1.0
    share, wide = hits / of, _Z**2 / of
    middle = (share + wide / 2) / (1 + wide)
    half = _Z / (1 + wide) * sqrt(share * (1 - share) / of + wide / (4 * of))
    return (max(0.0, middle - half) if hits else 0.0), (min(1.0, middle + half) if hits < of else 1.0)


def find_cycles(reading: Reading, as_of: date, most: int = WINDOW) -> tuple[Publication, ...]:
    """The last publications up to a day, oldest first."""
    rows = reading.all(select(publications).where(publications.c.as_of <= as_of)
                       .order_by(publications.c.number.desc()).limit(most))
    return tuple(Publication(**row) for row in reversed(rows))


def measure_shares(reading: Reading, kind: Kind, cycles: Sequence[Publication]) -> tuple[Group, ...]:
    """Each rule, list, ... with a decided flag in these cycles, by name. `axis` is the leading one."""
    value = labels.c.value if kind in _LABELLED else flags.c[kind]
    query = select(flags.c.run, value.label("value"), flags.c.state, func.count().label("n"))
    query = query.where(*_counted(cycles), flags.c.state.in_(DECIDED_STATES))
    if kind in _LABELLED:
        query = query.join(labels, labels.c.flag == flags.c.id).where(labels.c.kind == kind)
    found: dict[str, dict[str, dict[str, int]]] = {}
    for row in reading.all(query.group_by(flags.c.run, value, flags.c.state)):
        found.setdefault(row["value"] or "", {}).setdefault(row["run"], {})[row["state"]] = int(row["n"])
    return tuple(Group(kind, name, tuple(Tally(**runs.get(one.run, {})) for one in cycles))
                 for name, runs in sorted(found.items()))


def find_gap(groups: Iterable[Group]) -> Gap | None:
    """The two groups whose lower bounds are furthest apart, where that is more than APART; those with too few decided
    are left out, since theirs would be low for that alone."""
    enough = sorted((one for one in groups if one.whole.decided >= TOO_FEW),
                    key=lambda one: (one.whole.interval[0], one.name))
    if not enough:
        return None
    lower, higher = enough[0], enough[-1]
    apart = higher.whole.interval[0] - lower.whole.interval[0]
    surely = lower.whole.interval[1] < higher.whole.interval[0]
    return Gap(higher, lower, apart, surely) if apart > APART else None


def count_volumes(reading: Reading, cycles: Sequence[Publication]) -> dict[tuple[str, str], dict[str, int]]:
    """By run and list, for each rule: on how many of the flags put before people it had fired."""
    query = (select(flags.c.run, flags.c.list, labels.c.value, func.count().label("n"))
             .join(labels, labels.c.flag == flags.c.id).where(*_counted(cycles), labels.c.kind == "rule")
             .group_by(flags.c.run, flags.c.list, labels.c.value))
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in reading.all(query):
        found.setdefault((row["run"], row["list"]), {})[row["value"]] = int(row["n"])
    return found


def count_flags(reading: Reading, cycles: Sequence[Publication]) -> dict[tuple[str, str], int]:
    """By run and list: how many flags were put before people."""
    query = select(flags.c.run, flags.c.list, func.count().label("n")).where(*_counted(cycles))
    return {(row["run"], row["list"]): int(row["n"])
            for row in reading.all(query.group_by(flags.c.run, flags.c.list))}


def count_reasons(
    reading: Reading, cycles: Sequence[Publication], rule: str | None = None
) -> dict[tuple[str, str], int]:
    """By decision and reason code: how many flags, of one rule or of all, were last decided so."""
    latest = (select(reviews.c.flag, func.max(reviews.c.number).label("number")).group_by(reviews.c.flag)).subquery()
    query = (select(reviews.c.decision, reviews.c.reason_code, func.count().label("n"))
             .join(flags, flags.c.id == reviews.c.flag)
             .join(latest, (latest.c.flag == reviews.c.flag) & (latest.c.number == reviews.c.number))
             .where(*_counted(cycles)).group_by(reviews.c.decision, reviews.c.reason_code))
    if rule is not None:
        query = query.join(labels, labels.c.flag == flags.c.id).where(labels.c.kind == "rule", labels.c.value == rule)
    return {(row["decision"], row["reason_code"]): int(row["n"]) for row in reading.all(query)}


def find_habits(reading: Reading, as_of: date) -> tuple[Habit, ...]:
    """How everybody who reviewed up to a day did of late, by their id."""
    until = datetime.combine(as_of + timedelta(days=1), time(), UTC)
    known = reading.all(_reviews(until, reviews.c.reviewer.label("id")).distinct().order_by(reviews.c.reviewer))
    return tuple(_find_habit(reading, row["id"], until) for row in known)


# --- inside ---------------------------------------------------------------------------------------


def _counted(cycles: Sequence[Publication]) -> tuple[Any, ...]:
    return flags.c.run.in_([one.run for one in cycles]), flags.c.status.not_in(_HELD)


def _reviews(until: datetime, *columns: Any) -> Any:
    return (select(*columns).select_from(reviews).join(flags, flags.c.id == reviews.c.flag)
            .where(reviews.c.at < until, flags.c.status.not_in(_HELD)))


def _find_habit(reading: Reading, reviewer: str, until: datetime) -> Habit:
    query = (_reviews(until, *reviews.c).where(reviews.c.reviewer == reviewer)
             .order_by(reviews.c.at.desc(), reviews.c.id).limit(LAST))
    last = reading.all(query)
    clear = reading.all(query.where(reviews.c.decision.in_(DECIDED_STATES), reviews.c.shown_band.in_(_CLEAR)))
    first = reading.all(
        select(first_bands.c.band.label("own"), flags.c.band.label("ours"))
        .join(flags, flags.c.id == first_bands.c.flag)
        .where(first_bands.c.user == reviewer, first_bands.c.at < until, flags.c.status.not_in(_HELD))
        .order_by(first_bands.c.at.desc(), first_bands.c.flag).limit(LAST))
    seconds = [row["seconds"] for row in last if row["seconds"] is not None]
    overrides: dict[tuple[str, str], int] = {}
    for row in last:
        if row["decision"] in ("declined", "redirected"):
            key = (row["decision"], row["reason_code"])
            overrides[key] = overrides.get(key, 0) + 1
    return Habit(
        reviewer, len(last), len(clear), sum(row["decision"] == "confirmed" for row in clear), len(seconds),
        median(seconds) if seconds else None, sum(bool(row["opened"]) for row in last), len(first),
        sum(row["own"] == row["ours"] for row in first), overrides)
