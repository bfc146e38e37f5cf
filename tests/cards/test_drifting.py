"""A card that people go on using is asked now and then whether what it says still comes true."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.card import Card
from models.drifting import Holding, compare_dealt, compare_told, find_rows, write_holding

from .made import a_card

SHARES = np.array([8000, 2000, 1500, 500]) / 12000      # as the card says totals were dealt
TOTALS = np.array([0, 2, 4, 6])                         # one of each line of its table
CHANCES = np.array([0.021, 0.2, 0.31, 0.55])


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return a_card(tmp_path)


def live_on(cases: int, times: float = 1.0, shares: np.ndarray = SHARES) -> pd.DataFrame:
    """So many cases, totals dealt in exactly these shares, the outcome so many times as often as the card says."""
    line = np.repeat(np.arange(4), np.round(cases * shares).astype(int))
    place = np.arange(len(line)) - np.searchsorted(line, line)
    return pd.DataFrame({"total": TOTALS[line], "label": (
        place < np.round(times * CHANCES * np.bincount(line))[line]).astype(int)})


def look(card: Card, cases: pd.DataFrame, late: tuple[str, ...] = ()) -> Holding:
    return Holding(card, date(2026, 6, 1), compare_told(card, cases), date(2026, 11, 1),
                   compare_dealt(card, cases, seed=1), late)


def test_every_total_falls_in_its_line_of_the_table(card: Card) -> None:
    assert list(find_rows(card, [-2, 1, 2, 3, 4, 5, 6, 7])) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_while_things_come_true_nothing_is_made_of_it(card: Card) -> None:
    found = look(card, live_on(3_000))
    assert found.holds
    page = write_holding(found)
    assert "**Nothing shows that it no longer holds.**" in page
    assert "asked about 3,000 cases of 2026-06-01" in page
    assert [each.band for each in found.told] == ["-2 to 1 (2.1 %)", "2 to 3 (20.0 %)", "4 to 5 (31.0 %)",
                                                  "6 to 7 (55.0 %)"]


def test_when_half_as_much_happens_it_says_where_and_what_to_do(card: Card) -> None:
    found = look(card, live_on(3_000, times=0.5))
    assert not found.holds
    page = write_holding(found)
    assert "**It may no longer hold: see below.**" in page
    assert "does not hold" in page
    assert "what happened is not what the card says" in page
    assert "In 4 lines what happened is not what the card says, in 4 of them less." in page


def test_other_people_are_noticed_even_while_the_card_comes_true(card: Card) -> None:
    found = look(card, live_on(3_000, shares=np.array([0.4, 0.2, 0.2, 0.2])), late=("police_incidents",))
    assert found.dealt.drifted
    assert not any(each.drifted for each in found.told)
    page = write_holding(found)
    assert "so people or feeds have changed" in page
    assert "Feeds late that day, which by themselves move totals: police_incidents." in page
