"""Every measure worked out twice: in columns for everyone, and by hand for one subject after another.

Records and features are drawn at random, from short lists, so that ties, blanks, disputes and the edges of windows
are met all the time. Neither the order of the records nor the number of threads may change a single bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.condition import All, Any_, Compare, Condition, Known, Not
from engine.feature import Feature
from engine.history import connect
from engine.keyed import World
from engine.measures import measure
from engine.schema import LEVELS, Subject
from engine.world import Workbench

from .made import AS_OF, Row, a_feature, ago, make_world, measure_both_ways

WINDOWS = [None, 7, 30, 90, 365]
DAYS = sorted({w + shift for w in (0, 7, 14, 30, 60, 90, 180, 365, 730) for shift in (-1, 0, 1)} | {-30, 3, 200, 1500})
NUMBERS = [0, 1, 2, 5]
SHARES = [0.0, 0.25, 1.5, -2.0]
WORDS = ["N01", "D01", "P02"]
MEASURES = ["count", "any", "share", *(
    f"{verb} {column}" for verb, columns in {
        "distinct": ("incident", "category", "reporter"), "sum": ("amount", "share"), "max": ("amount", "started"),
        "min": ("share", "started"), "latest": ("amount", "category", "noisy", "started"),
        "days_since": ("known", "started"), "days_until": ("started",), "change": ("incident", "category"),
        "ratio": ("amount", "share"), "top_share": ("reporter", "category")}.items() for column in columns)]
_TYPES = {"category": "code", "noisy": "boolean", "started": "date"}


def draw_records(random: Random, count: int, people: int) -> list[Row]:
    """Records of a few people and places; any column but the day may be blank."""
    def perhaps(values: Any) -> Any:
        return random.choice(values) if random.random() > 0.2 else None

    return [{
        "record": f"feed:{number:06d}", "known": ago(random.choice(DAYS)),
        "person": perhaps([f"P{n}" for n in range(people)]), "incident": f"I{random.randrange(count)}",
        "category": perhaps(WORDS), "reporter": perhaps(["H1", "H2", "H3"]), "amount": perhaps(NUMBERS),
        "share": perhaps(SHARES), "started": perhaps([ago(day) for day in DAYS]), "noisy": perhaps([True, False]),
        "disputed": random.random() < 0.02, **{level: perhaps([f"{level}{n}" for n in range(people)])
                                              for level in LEVELS[:-1]},
        "easting": perhaps([400_000.0 + 100 * n for n in range(20)]),
        "northing": 300_000.0 + 50 * random.randrange(20), "proposal_ref": perhaps([f"A{n}" for n in range(people)]),
    } for number in range(count)]


def draw_world(bench: Workbench, random: Random, records: list[Row], people: int) -> World:
    """The records, and as many people, places and proposals as they speak of, some of them without records."""
    where = {"easting": 400_050.0, "northing": 300_125.0}
    places = [{"subject": f"{level}:{level}{n}", "level": level, "key": f"{level}{n}", **(where if n % 3 else {})}
              for level in LEVELS[:-1] for n in range(people)]
    proposals = [{"subject": f"A{n}", "applicant": f"P{n}" if n % 4 else None, "uprn": f"uprn{n}" if n % 7 else None,
                  "proposal": f"A{n}" if n % 6 else None, **(where if n % 5 else {})} for n in range(people)]
    gaps = [date(2026, random.randrange(1, 12), 1)] if random.random() < 0.3 else []
    return make_world(bench, {"reports": records, "proposed_allocations": records},
                      people=[{"subject": f"P{n}"} for n in range(people)], places=places, proposals=proposals,
                      gaps=gaps, as_of=random.choice([AS_OF, date(2026, 3, 1), date(2024, 2, 29)]))


def draw_condition(random: Random, depth: int = 2) -> Condition:
    """A condition on a record, never only on what is always there."""
    if depth and random.random() < 0.4:
        parts = tuple(draw_condition(random, depth - 1) for _ in range(random.randrange(1, 3)))
        return random.choice([All(parts), Any_(parts), Not(parts[0])])
    return random.choice([
        Compare("amount", random.choice([">=", "<", "=="]), random.choice(NUMBERS)),
        Compare("share", random.choice([">", "<="]), random.choice(SHARES)),
        Compare("category", random.choice(["==", "!="]), random.choice(WORDS)),
        Compare("category", random.choice(["in", "not in"]), tuple(random.sample(WORDS, 2))),
        Compare("started", random.choice([">=", "<"]), ago(random.choice(DAYS))),
        Compare("noisy", "==", random.random() < 0.5), Known(random.choice(["amount", "reporter", "started"]))])


def draw_feature(random: Random, number: int, subject: Subject) -> Feature:
    """A feature as somebody might declare it on these records."""
    how = random.choice([*MEASURES, "capped", *(["nearest"] if subject == "allocation" else [])])
    feature = a_feature("distinct incident" if how == "capped" else how, subject=subject, name=f"f{number}",
                        window=random.choice(WINDOWS))
    made: dict[str, Any] = {"absence": random.choice(["zero", "unknown", "not_applicable"])}
    kind = _TYPES.get(feature.measure.column or "") if feature.measure.verb in ("latest", "max", "min") else None
    if kind:
        made |= {"type": kind, "absence": "unknown" if kind != "boolean" else random.choice(["zero", "unknown"])}
    if feature.kind == "boolean" or feature.measure.verb == "top_share":
        made["absence"] = random.choice(["zero", "unknown"])
    if feature.measure.verb in ("change", "ratio") and feature.window is None:
        made["window"] = 30
    if how == "capped":
        made["cap_reporter"] = random.choice([1, 2, 3])
    if feature.measure.verb == "share":
        made["of_which"] = draw_condition(random, 1)
    if random.random() < 0.7:
        made["where"] = draw_condition(random)
    if subject != "person" and how != "nearest" and random.random() < 0.3:
        made["near"] = random.choice([100, 250])
    if subject == "allocation" and "near" not in made and random.random() < 0.3:
        made["table"] = "proposed_allocations"
    made["feeds"] = ("feed",) if random.random() < 0.95 else ("feed", "late")
    return _with(feature, made)


def _with(feature: Feature, made: Mapping[str, Any]) -> Feature:
    fields = {name: getattr(feature, name) for name in Feature.__dataclass_fields__}
    return Feature(**{**fields, **made})


def check_round(seed: int, bench: Workbench, people: int, records: int, features: int) -> int:
    """One random world, every feature of every subject worked out both ways; how many pairs that were."""
    random = Random(seed)
    world = draw_world(bench, random, draw_records(random, records, people), people)
    pairs = 0
    for subject in ("person", "place", "allocation"):
        drawn = [draw_feature(random, number, subject) for number in range(features)]
        pairs += sum(len(values) for values in measure_both_ways(world, bench, *drawn).values())
    return pairs


@settings(max_examples=8, deadline=None, derandomize=True, phases=[Phase.generate],     # a seed does not shrink
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), people=st.integers(1, 4), records=st.integers(1, 25))
def test_columns_and_the_count_by_hand_agree_on_small_worlds(
    bench: Workbench, seed: int, people: int, records: int
) -> None:
    check_round(seed, bench, people, records, features=5)


def test_columns_and_the_count_by_hand_agree_on_twenty_thousand_values(bench: Workbench) -> None:
    assert sum(check_round(seed, bench, 24, 900, 60) for seed in (1, 2)) >= 20_000


@pytest.mark.more
def test_columns_and_the_count_by_hand_agree_on_three_hundred_thousand_values(bench: Workbench) -> None:
    assert sum(check_round(seed, bench, 24, 900, 60) for seed in range(100, 131)) >= 300_000


# --- the same bits, however the records lie -------------------------------------------------------


def measured(threads: int, records: list[Row], features: list[Feature], people: int) -> pa.Table:
    bench = Workbench(connect(threads))
    world = draw_world(bench, Random(7), records, people)
    table = measure(world, features[0].subject, features, [], bench.hold, {})
    found: pa.Table = table.order_by("subject").to_pyarrow()
    return found


@pytest.fixture(scope="module")
def declared() -> list[Feature]:
    random = Random(11)
    return [draw_feature(random, number, "person") for number in range(40)]


@pytest.fixture(scope="module")
def records() -> list[Row]:
    return draw_records(Random(5), 2_000, 20)


def shuffles(records: list[Row]) -> Iterator[list[Row]]:
    for seed in (1, 2):
        yield Random(seed).sample(records, len(records))


def test_the_order_of_records_and_the_number_of_threads_change_nothing(
    records: list[Row], declared: list[Feature]
) -> None:
    once = measured(1, records, declared, 20)
    assert measured(2, records, declared, 20).equals(once)
    for shuffled in shuffles(records):
        assert measured(2, shuffled, declared, 20).equals(once)


@pytest.mark.parametrize("how", ["sum share", "ratio share"])
def test_pence_are_added_up_the_same_whatever_their_order(how: str) -> None:
    random = Random(3)
    rows = draw_records(random, 3_000, 2)
    rows = [{**row, "share": round(random.uniform(0.01, 900), 2), "disputed": False} for row in rows]
    feature = [a_feature(how, window=365, name="f")]
    once = measured(1, rows, feature, 2)
    assert once["f"].null_count == 0
    for shuffled in shuffles(rows):
        assert measured(1, shuffled, feature, 2).equals(once)
