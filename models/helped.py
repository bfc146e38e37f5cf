"""Who was helped -> a weight for each row that was not, so that they also count for those like them who were.

Inverse probability of censoring weights. How likely help was is learned from the same facts by a plain logistic
regression, so no outcome has a part in it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

LEAST = 0.05
"""Nobody counts for more than twenty: whoever was almost sure to be helped says little about those who were not."""


def weigh(facts: pd.DataFrame, treated: pd.Series) -> pd.Series:
    """0 for each row that was helped, 1 / (chance of not being helped) for the others, at most 20.

    Rows may be given in any order: each row's weight depends on the table of rows as a whole.
    """
    helped = treated.fillna(False).to_numpy(bool)
    if not helped.any() or helped.all():
        return pd.Series(np.where(helped, 0.0, 1.0), facts.index)
    columns = _as_numbers(facts)
    order = np.lexsort(columns.T)      # the sums of a fit depend on the order of rows in the last digits
    model = LogisticRegression(C=1.0, max_iter=1000)
    scaled = StandardScaler().fit(columns[order])
    model.fit(scaled.transform(columns[order]), helped[order])
    alone = 1.0 - model.predict_proba(scaled.transform(columns))[:, 1]
    return pd.Series(np.where(helped, 0.0, np.round(1.0 / np.maximum(alone, LEAST), 6)), facts.index)


def _as_numbers(facts: pd.DataFrame) -> np.ndarray:
    """Counts as logarithms, truths as 0 and 1, words as one column each, and whether each is known at all."""
    parts = []
    for name in facts:
        column = facts[name]
        known = column.notna().to_numpy()
        if pd.api.types.is_string_dtype(column.dtype):
            parts += [(column == word).fillna(False).to_numpy(float) for word in sorted(column.dropna().unique())]
        else:
            number = column.astype("Float64").fillna(0.0).to_numpy(float)
            parts.append(np.sign(number) * np.log1p(np.abs(number)))
        parts.append(known.astype(float))
    kept = [part for part in parts if part.min() != part.max()]
    return np.column_stack(kept) if kept else np.zeros((len(facts), 1))
