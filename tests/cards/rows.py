"""Rows to fit points cards on: numbers with gaps, words, truths, and an outcome that depends on some of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

TENURES = ("council", "owner", "private rent", "it's complicated", "no", "hostel")
NOT_ASKED = 999


def make_rows(count: int, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """A frame of every kind of column, missing values as pandas' types write them, and an outcome of 0 and 1."""
    random = np.random.default_rng(seed)
    reports, calls = random.poisson(random.gamma(0.5, 3, count)), random.poisson(2, count)
    arrears, isolated = random.normal(2, 4, count), random.random(count) < 0.3
    tenure = random.choice(TENURES, count, p=[0.35, 0.3, 0.2, 0.08, 0.05, 0.02])
    visits = np.where(random.random(count) < 0.1, NOT_ASKED, random.poisson(3, count))
    odds = (-2.2 + 0.9 * np.log1p(reports) + 0.15 * arrears + 0.5 * isolated + 0.8 * (tenure == "council")
            - 0.15 * np.where(visits == NOT_ASKED, 5, visits))
    happened = (random.random(count) < 1 / (1 + np.exp(-odds))).astype(int)
    frame = pd.DataFrame({
        "reports_365d": pd.Series(reports, dtype="Int64").mask(random.random(count) < 0.1),
        "Calls, 90 days": calls,
        "arrears_weeks": pd.Series(arrears).mask(random.random(count) < 0.15),
        "isolated": pd.Series(isolated, dtype="boolean").mask(random.random(count) < 0.05),
        "tenure": pd.Series(tenure, dtype="str").mask(random.random(count) < 0.05),
        "visits": visits,
        "noise": random.normal(size=count),
        "ward": pd.Categorical(random.choice([51, 52, 53], count)),
    })
    return frame, happened
