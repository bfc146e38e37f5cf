"""Figures as a page shows them: rounded here and nowhere else, in Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from models.capacity import Span
from models.intervals import Estimate

NONE = "—"


def write_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, its first column words and the others figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(each.replace("|", "\\|") for each in line) + " |" for line in lines)


def write_number(value: float | None, digits: int) -> str:
    """A number with so many digits after the point."""
    return NONE if value is None else f"{value:.{digits}f}"


def write_estimate(found: Estimate | None, digits: int) -> str:
    """A number and its interval."""
    return NONE if found is None else (
        f"{found.value:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})")


def write_share(value: float) -> str:
    """A share in per cent."""
    return f"{100 * value:.1f} %"


def write_interval(found: Estimate | None) -> str:
    """A share and its interval in per cent."""
    return NONE if found is None else (
        f"{write_share(found.value)} ({write_share(found.low)} to {write_share(found.high)})")


def write_span(found: Span) -> tuple[str, str, str]:
    """Worst, expected and best, in per cent."""
    return write_share(found.worst), write_share(found.expected), write_share(found.best)


def plural(count: int, word: str) -> str:
    """The word for so many."""
    return word if count == 1 else {"person": "people"}.get(word, f"{word}s")
