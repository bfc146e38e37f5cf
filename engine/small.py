"""Counts that add up to a total -> which of them may be shown, so that no small one is seen or can be worked out.

What is hidden adds up to the total less what is shown. So a small count hides a large one beside it, and as many more
as it takes until each small one could be another than it is, also for whoever knows how this is done: a test tries
every table of a few counts. It holds for counts that share a total and nothing else. It does not hold for the same
people counted in one table more finely than in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HIDDEN = None
"""In the place of a count that is not shown."""


@dataclass(frozen=True)
class Shown:
    """A total and its parts; None is hidden."""

    total: int | None
    parts: Mapping[str, int | None]


def hide_small(parts: Mapping[str, int], least: int) -> Shown:
    """What may be shown of counts that add up to a total, where one from 1 to `least` - 1 would point at people.

    `least` is the partnership's own (`small_cell` in rules/policy.yaml), and 3 or more: below 2 is only 1. A total
    that small hides everything.
    """
    total = sum(parts.values())
    if 0 < total < least:
        return Shown(HIDDEN, dict.fromkeys(parts, HIDDEN))
    small = {name for name, count in parts.items() if 0 < count < least}
    hidden = set(small)
    # The next in the order given, whatever its count: hiding the smallest would say that all that is shown is larger.
    for name in (name for name, count in parts.items() if small and count >= least):
        hidden.add(name)
        if _is_safe(sum(parts[one] for one in hidden), len(small), least):
            break
    else:
        hidden = set(parts) if small else set()     # with the empty ones, so that each could be any
    return Shown(total, {name: HIDDEN if name in hidden else count for name, count in parts.items()})


def hide_overlapping(counts: Mapping[str, int], total: int, least: int) -> dict[str, int | None]:
    """The same of counts that may overlap within a total: one under several themes is counted in each.

    Whoever is in none of one count is hidden too where they are few, and one small count hides a second, for mostly
    everybody is counted once.
    """
    if 0 < total < least:
        return dict.fromkeys(counts, HIDDEN)
    shown = hide_small(counts, least).parts
    return {name: HIDDEN if 0 < total - count < least else shown[name] for name, count in counts.items()}


def _is_safe(hidden: int, small: int, least: int) -> bool:
    """Whether each of some small counts, hidden beside a large one, could be another than it is: there is one more
    hidden than the fewest there could be."""
    return hidden > least + small
