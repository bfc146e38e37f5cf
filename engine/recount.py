"""One feature, one subject, its own records: the value worked out by hand, and the records behind it.

Deliberately naive: it is the second implementation that judges `measures`, it names the records an officer
can open, and it says what the value will be on a later day if nothing more is heard.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from engine.evaluate import Case, evaluate
from engine.feature import FAR, Feature

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Counted:
    """A value and the rows it rests on; `value` None = unknown."""

    value: Any
    rows: tuple[Row, ...] = ()
    disputed: bool = False


def recount(feature: Feature, rows: Sequence[Row], as_of: date, believed: bool) -> Counted:
    """The value of a feature from the subject's keyed rows (see `keyed`), as of a date.

    `believed` is `World.believes` for the feature. Each row needs `known`, `record` and what the feature reads,
    and `metres` where it measures a distance.
    """
    if not believed:
        return Counted(None)
    return recount_met(feature, select_met(feature, rows), as_of)


def select_met(feature: Feature, rows: Sequence[Row]) -> list[Row]:
    """The rows that meet the feature's condition, whenever they were known."""
    return [row for row in rows if feature.where is None or evaluate(feature.where, Case(row)).state is True]


def recount_met(feature: Feature, rows: Sequence[Row], as_of: date) -> Counted:
    """The value from rows already known to meet the condition; `lapse` asks this for many days."""
    used = _rows_in(feature, rows, as_of, 0)
    earlier = _rows_in(feature, rows, as_of, 1) if feature.measure.verb in ("change", "ratio") else []
    if any(row.get("disputed") for row in [*used, *earlier]):
        return Counted(None, tuple(used), disputed=True)
    value = _VALUES[feature.measure.verb](feature, used, rows, as_of)
    if value is None:
        value = {"zero": False if feature.kind == "boolean" else 0, "none": "none",
                 "not_applicable": FAR}.get(feature.absence) if not used else None
    return Counted(value, tuple(used))


def _rows_in(feature: Feature, rows: Sequence[Row], as_of: date, back: int) -> list[Row]:
    if feature.window is None:
        return list(rows)
    end = as_of - timedelta(days=back * feature.window)
    start = end - timedelta(days=feature.window)
    return [row for row in rows if start <= row["known"] < end]


def _column(feature: Feature, rows: Sequence[Row]) -> list[Any]:
    assert feature.measure.column is not None
    return [row[feature.measure.column] for row in rows if row[feature.measure.column] is not None]


def _days(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _distinct(feature: Feature, used: Sequence[Row]) -> int | None:
    if feature.cap_reporter is None:
        return len(set(_column(feature, used))) or None     # records that do not say are not a zero
    per_reporter: dict[Any, set[Any]] = {}
    for row in used:
        per_reporter.setdefault(row["reporter"], set()).add(row["incident"])
    return sum(len(found) if reporter is None else min(len(found), feature.cap_reporter)
               for reporter, found in per_reporter.items())


def _change(feature: Feature, used: Sequence[Row], rows: Sequence[Row], as_of: date) -> int | None:
    before = _rows_in(feature, rows, as_of, 1)
    if not used and not before:
        return None
    return len(set(_column(feature, used))) - len(set(_column(feature, before)))


def _ratio(feature: Feature, used: Sequence[Row], rows: Sequence[Row], as_of: date) -> float | None:
    before = sum(_column(feature, _rows_in(feature, rows, as_of, 1)))
    told = _column(feature, used)
    return sum(told) / before if before and told else None


def _share(feature: Feature, used: Sequence[Row]) -> float | None:
    assert feature.of_which is not None
    met = [row for row in used if evaluate(feature.of_which, Case(row)).state is True]
    return len(met) / len(used) if used else None


def _top_share(feature: Feature, used: Sequence[Row]) -> float | None:
    counts = Counter(_column(feature, used))
    return max(counts.values()) / sum(counts.values()) if counts else None


def _latest(feature: Feature, used: Sequence[Row]) -> Any:
    told = [row for row in used if row[feature.measure.column] is not None]  # type: ignore[index]
    if not told:
        return None
    last = max(told, key=lambda row: f"{row['known'].isoformat()}{row['record']}")
    return last[feature.measure.column]  # type: ignore[index]


def _nearest(feature: Feature, used: Sequence[Row]) -> int | None:
    metres = [row["metres"] for row in used if row["metres"] is not None]
    return math.floor(min(metres) + 0.5) if metres else None


def _whole(values: Sequence[Any]) -> Any:
    return sum(values) if values else None


_VALUES: dict[str, Any] = {
    "count": lambda f, used, rows, as_of: len(used) or None,
    "any": lambda f, used, rows, as_of: bool(used) or None,
    "distinct": lambda f, used, rows, as_of: _distinct(f, used) if used else None,
    "sum": lambda f, used, rows, as_of: _whole(_column(f, used)),
    "max": lambda f, used, rows, as_of: max(_column(f, used), default=None),
    "min": lambda f, used, rows, as_of: min(_column(f, used), default=None),
    "latest": lambda f, used, rows, as_of: _latest(f, used),
    "days_since": lambda f, used, rows, as_of: next(
        ((as_of - _days(d)).days for d in [max(_column(f, used), default=None)] if d), None),
    "days_until": lambda f, used, rows, as_of: next(
        ((_days(d) - as_of).days for d in [min(_column(f, used), default=None)] if d), None),
    "change": _change,
    "ratio": _ratio,
    "share": lambda f, used, rows, as_of: _share(f, used),
    "top_share": lambda f, used, rows, as_of: _top_share(f, used),
    "nearest": lambda f, used, rows, as_of: _nearest(f, used),
}
