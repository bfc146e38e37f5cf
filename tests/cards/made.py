"""Cards for tests: one an officer could read, and others dealt at random with the cases they are asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from engine.card import Card, read_card

GOOD = """\
card: person_harm_v1
title: Further harm reported within 90 days
subject: person
axis: harm
outcome: further_harm_90d
status: trial
licence: probability
fitted: {rows: 12000, events: 830, from: 2025-01-01, to: 2026-03-01, note: "invented borough, seed 1"}
applies: age >= 10
needs:
  records: {fact: asb_subject_ev2_365d, least: 2}
bands: {convene: 0.5, discuss: 0.3, watch: 0.15}
factors:
  - fact: asb_subject_ev2_183d
    range: [0, 40]
    bins:
      - {when: "asb_subject_ev2_183d >= 3", points: 6, share: 0.05}
      - {when: {all: ["asb_subject_ev2_183d >= 1", "asb_subject_ev2_183d < 3"]}, points: 3, share: 0.10}
      - {when: "asb_subject_ev2_183d < 1", points: 0, share: 0.83}
      - {when: "asb_subject_ev2_183d is missing", points: 1, share: 0.02}
  - fact: tenure
    bins:
      - {when: "tenure in [council]", points: 1, share: 0.3}
      - {when: {not: {any: ["tenure in [council]", "tenure is missing"]}}, points: 0, share: 0.6}
      - {when: "tenure is missing", points: 0, share: 0.1}
  - fact: isolated
    bins:
      - {when: isolated is false, points: 0, share: 0.8}
      - {when: isolated is true, points: -2, share: 0.1}
      - {when: isolated is missing, points: 0, share: 0.1}
scores:
  - {from: -2, to: 1, probability: 0.021, low: 0.017, high: 0.026, rows: 8000}
  - {from: 2, to: 3, probability: 0.2, low: 0.16, high: 0.24, rows: 2000}
  - {from: 4, to: 5, probability: 0.31, low: 0.27, high: 0.35, rows: 1500}
  - {from: 6, to: 7, probability: 0.55, low: 0.5, high: 0.6, rows: 500}
"""


def a_card(folder: Path, *changes: tuple[str, str]) -> Card:
    """The good card with pieces of its text replaced, each standing there once."""
    return read_card(write_card(folder, *changes))


def write_card(folder: Path, *changes: tuple[str, str], text: str = GOOD) -> Path:
    for old, new in changes:
        assert text.count(old) == 1, f"`{old}` stands once in the card"
        text = text.replace(old, new)
    path = folder / "card.yaml"
    path.write_text(text, encoding="utf-8")
    return path


# --- cards dealt at random --------------------------------------------------------------------

KINDS = {"whole": pa.int64(), "decimal": pa.float64(), "word": pa.string(), "truth": pa.bool_()}
WORDS = ["council", "other", "a b", "Zoë", ""]
NUMBERS: dict[str, list[float]] = {"whole": [-1, 0, 1, 2, 3, 5, 999], "decimal": [-0.5, 0.0, 0.1, 0.3, 2.5, 999.0]}


def deal_card(random: Random, folder: Path) -> Card:
    """A card of up to 12 facts of every kind, with special values and points all over."""
    factors = [_deal_factor(random, f"f{n}_{random.choice(list(KINDS))}") for n in range(random.randint(1, 12))]
    least = sum(min(points for _, points in factor) for _, factor in factors)
    most = sum(max(points for _, points in factor) for _, factor in factors)
    text = ["card: dealt", f"licence: {random.choice(['rank', 'probability'])}",
            "fitted: {rows: 9000, events: 900}", "factors:"]
    for fact, bins in factors:
        text += [f"  - fact: {fact}", "    bins:"]
        text += [f"      - {{when: {when}, points: {points}, share: {1 / len(bins)}}}" for when, points in bins]
    text += ["scores:", f"  - {{from: {least}, to: {most}, probability: 0.2, low: 0.1, high: 0.3, rows: 9000}}"]
    return read_card(write_card(folder, text="\n".join(text)))


def deal_rows(random: Random, card: Card, count: int) -> list[dict[str, Any]]:
    return [{"row": n, **{factor.fact: _deal_value(random, factor.fact) for factor in card.factors}}
            for n in range(count)]


def as_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The rows as a typed table, NaN and missing both kept as they are."""
    kinds = {name: pa.int64() if name == "row" else KINDS[name.split("_")[1]] for name in rows[0]}
    return pa.table({name: pa.array([row[name] for row in rows], kind, from_pandas=False)
                     for name, kind in kinds.items()})


def _deal_factor(random: Random, fact: str) -> tuple[str, list[tuple[str, int]]]:
    whens = {"word": _deal_words, "truth": lambda _, name: [f"{name} is false", f"{name} is true"]}.get(
        fact.split("_")[1], _deal_ranges)(random, fact)
    random.shuffle(whens)
    return fact, [(when, random.randint(-10, 10)) for when in (*whens, f"{fact} is missing")]


def _deal_ranges(random: Random, fact: str) -> list[str]:
    numbers = NUMBERS[fact.split("_")[1]][:-1]
    cuts = sorted(random.sample(numbers, random.randint(1, 4)))
    special = [f"{fact} == 999"] if random.random() < 0.5 else []
    apart = f', "{fact} not in [999]"' if special else ""
    inner = [f'{{all: ["{fact} >= {low}", "{fact} < {high}"]}}' for low, high in pairwise(cuts)]
    return [f"{fact} < {cuts[0]}", *inner, f'{{all: ["{fact} >= {cuts[-1]}"{apart}]}}', *special]


def _deal_words(random: Random, fact: str) -> list[str]:
    named = [f"\"{fact} in ['{word}']\"" for word in random.sample(WORDS, random.randint(1, 3))]
    return [*named, f'{{not: {{any: [{", ".join(named)}, "{fact} is missing"]}}}}']


def _deal_value(random: Random, fact: str) -> Any:
    kind = fact.split("_")[1]
    if random.random() < 0.15:
        return float("nan") if kind == "decimal" and random.random() < 0.5 else None
    match kind:
        case "word":
            return random.choice([*WORDS, "never seen"])
        case "truth":
            return random.random() < 0.5
    return random.choice(NUMBERS[kind]) + random.choice([0, 1])
