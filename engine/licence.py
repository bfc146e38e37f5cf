"""How many cases a card was learned from -> what it may say at most: nothing, an order, or how likely something is."""

from __future__ import annotations

from typing import Literal, get_args

Licence = Literal["silent", "rank", "probability"]
LICENCES: tuple[Licence, ...] = get_args(Licence)

LEAST_ROWS = 500
"""Below this a card stays silent, because its points are mostly noise."""
ENOUGH_ROWS, ENOUGH_EVENTS = 2_500, 250
"""From here on a card of points was calibrated to within 0.02; with fewer it may put in order and say no chance."""


def licence_for(rows: float, events: float) -> Licence:
    """The most a card may say that was learned from so many rows, of which so many were events."""
    if rows < LEAST_ROWS:
        return "silent"
    return "rank" if rows < ENOUGH_ROWS or events < ENOUGH_EVENTS else "probability"
