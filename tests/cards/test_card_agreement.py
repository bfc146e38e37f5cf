"""The points of a case are the same from the fitted card, the engine's plain meaning and DuckDB, whoever it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.card import Card, read_card
from engine.columns import express
from engine.condition import Compare, read_condition, walk
from engine.evaluate import Case, evaluate
from engine.factor import Factor
from models.bins import Bins, cut
from models.card import PointsCard
from models.inputs import Column, name_facts, read_columns

from .rows import NOT_ASKED, make_rows

PEOPLE = 100_000
UNSEEN = ["a tenure nobody had", "Council", "", "council "]


@pytest.fixture(scope="module")
def card() -> PointsCard:
    frame, happened = make_rows(6_000)
    return PointsCard(special_values={"visits": [NOT_ASKED]}, monotone={"reports_365d": 1}).fit(frame, happened)


@pytest.fixture(scope="module")
def written(card: PointsCard, tmp_path_factory: pytest.TempPathFactory) -> Card:
    path = tmp_path_factory.mktemp("card") / "card.yaml"
    card.to_yaml(path)
    return read_card(path)


def make_people(card: PointsCard, written: Card, count: int) -> pd.DataFrame:
    """People with values on every edge of every bin, just beside it, anywhere, never seen, and not known."""
    random = np.random.default_rng(20261123)
    seen, _ = make_rows(2_000, seed=5)
    people = {}
    for name in card.inputs_:
        factor = next((f for f, mine in zip(written.factors, card.factors_, strict=True) if mine.column == name), None)
        people[name] = pick(seen[name], edges(factor) if factor else [], random, count)
    return pd.DataFrame(people)


def edges(factor: Factor) -> list[Any]:
    values = [node.value for each in factor.bins for node in walk(each.when) if isinstance(node, Compare)]
    return [value for each in values for value in (each if isinstance(each, tuple) else (each,))]


def pick(seen: pd.Series, at: list[Any], random: np.random.Generator, count: int) -> pd.Series:
    pool = seen.dropna().tolist()
    if seen.dtype == "float64":
        pool += [beside for each in at for beside in (np.nextafter(each, -1e9), each, np.nextafter(each, 1e9))]
    elif pd.api.types.is_integer_dtype(seen.dtype):
        pool += [beside for each in at for beside in (int(each) - 1, int(each), int(each) + 1)]
    elif seen.dtype == "str":
        pool += UNSEEN * 50
    drawn = pd.Series([pool[place] for place in random.integers(0, len(pool), count)])
    missing = random.random(count) < (0.15 if seen.dtype != "int64" else 0.0)
    return (drawn.astype("category") if seen.dtype == "category" else drawn.astype(seen.dtype)).mask(missing)


def by_meaning(written: Card, columns: Sequence[Column]) -> np.ndarray:
    """Each person's points by the plain evaluator: once for each value that occurs, since a bin asks one fact."""
    total = np.zeros(len(columns[0].known), dtype=int)
    for factor, column in zip(written.factors, columns, strict=True):
        values = [value if known else None for value, known in zip(column.values.tolist(), column.known, strict=True)]
        if column.kind == "boolean":
            values = [None if value is None else bool(value) for value in values]
        points = {value: first_true(factor, value) for value in set(values)}
        total += np.array([points[value] for value in values])
    return total


def first_true(factor: Factor, value: Any) -> int:
    met = [each.points for each in factor.bins if evaluate(each.when, Case({factor.fact: value})).state is True]
    assert len(met) == 1, f"{value} falls in {len(met)} bins of {factor.fact}"
    return met[0]


def by_duckdb(written: Card, card: PointsCard, people: pd.DataFrame) -> np.ndarray:
    fields = {factor.fact: people[mine.column].astype(object) if people[mine.column].dtype == "category"
              else people[mine.column] for factor, mine in zip(written.factors, card.factors_, strict=True)}
    table = ibis.memtable(pa.table({"person": range(len(people))} | {
        name: pa.Array.from_pandas(values) for name, values in fields.items()}))
    total = sum((ibis.cases(*((express(each.when, table.__getitem__), each.points) for each in factor.bins))
                 for factor in written.factors), start=ibis.literal(0))
    counted = table.select("person", total=total).order_by("person")
    return np.array(counted.to_pyarrow()["total"].to_pylist())


def test_all_three_ways_agree_on_a_hundred_thousand_people(card: PointsCard, written: Card) -> None:
    people = make_people(card, written, PEOPLE)
    columns = {column.name: column for column in read_columns(people)}
    asked = [columns[factor.column] for factor in card.factors_]

    fitted = card.points(people).sum(axis=1)

    assert {column.kind for column in asked} == {"number", "boolean", "category"}
    assert len(np.unique(fitted)) > 15, "people differ"
    assert np.array_equal(fitted, by_meaning(written, asked))
    assert np.array_equal(fitted, by_duckdb(written, card, people))


def test_a_row_explained_alone_has_the_points_it_has_among_others(card: PointsCard, written: Card) -> None:
    people = make_people(card, written, 300)
    together = card.points(people)
    order = [factor.fact for factor in card.factors_]
    for at in range(len(people)):
        alone = {each.fact: each.points for each in card.explain(people.iloc[at].to_dict())}
        assert [alone[fact] for fact in order] == together[at].tolist()


# --- where training puts a value is what its condition says --------------------------------------

AWKWARD = {
    "halves": [0.1 * each for each in range(200)],
    "tiny": [each * 1e-9 for each in range(-100, 100)],
    "huge": [2.0**53 + 4.0 * each for each in range(50)] + [float(each) for each in range(150)],
    "negative": [-float(each**2) for each in range(200)],
    "one value": [7.0] * 200,
    "neighbours": [1.0, np.nextafter(1.0, 2.0), np.nextafter(1.0, 0.0), 0.0] * 50,
    "with special values": [*map(float, range(150)), *[-1.0] * 25, *[9_999_999.0] * 25],
    "quotation marks": ["St Mary's", 'the "Hut"', "both ' and \"", "a, b", "2026-01-01", "3", "true", "is known"] * 25,
    "one word": ["a"] * 200,
    "lines": ["two\nlines", "one", " spaced ", ""] * 50,
    "truths": [True, False] * 100,
    "codes": pd.Categorical([51, 52, 53, 54] * 50),
    "nothing known": [None] * 200,
}


@pytest.mark.parametrize("name", AWKWARD)
def test_every_value_falls_where_its_condition_says(name: str) -> None:
    values = pd.Series(AWKWARD[name])
    column = read_columns(pd.DataFrame({name: values}))[0]
    specials = [-1.0, 9_999_999.0] if name == "with special values" else []
    bins = cut(column, name_facts([name])[0], np.ones(len(values)), specials)
    while True:
        assert codes_by_meaning(bins, column) == bins.code(column).tolist()
        if bins.joinable < 2 or bins.kind == "boolean":
            break
        bins, _ = bins.join(0, bins.joinable // 2 if bins.kind == "category" else 1)


def codes_by_meaning(bins: Bins, column: Column) -> list[int]:
    conditions = [read_condition(each) for each in bins.conditions()]
    found = []
    for value, known in zip(column.values.tolist(), column.known, strict=True):
        seen = (bool(value) if column.kind == "boolean" else value) if known else None
        met = [at for at, each in enumerate(conditions) if evaluate(each, Case({bins.fact: seen})).state is True]
        assert len(met) == 1
        found += met
    return found


def test_joining_bins_moves_each_code_where_it_says() -> None:
    column = read_columns(pd.DataFrame({"x": np.arange(400.0)}))[0]
    bins = cut(column, "x", np.ones(400))
    joined, places = bins.join(2, 3)
    assert np.array_equal(places[bins.code(column)], joined.code(column))
    assert joined.size == bins.size - 1


def test_names_of_columns_become_facts_that_conditions_can_write() -> None:
    assert name_facts(["Mean radius (mm)", "mean_radius_mm", "90 days", "%", "ok"]) == [
        "mean_radius_mm", "mean_radius_mm_2", "x_90_days", "x", "ok"]
