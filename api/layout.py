"""Words and rows -> lines of plain text no wider than a printed page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 100
_GAP = "  "
_NARROWEST = 8      # letters; a column of text is never squeezed below this


def wrap(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """A paragraph as lines: `first` before the first line, `rest` (default: blanks) before the others."""
    rest = " " * len(first) if rest is None else rest
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=first, subsequent_indent=rest,
                         break_on_hyphens=False) or [first.rstrip()]


def heading(text: str, mark: str = "-") -> list[str]:
    """A blank line, the heading, and a line under it."""
    return ["", text, mark * min(len(text), WIDTH)]


def bullets(items: Iterable[str], indent: str = "") -> list[str]:
    """One wrapped item a line, each with a dash."""
    return [line for item in items for line in wrap(item, f"{indent}- ")]


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], numbers: Iterable[int] = ()) -> list[str]:
    """Rows under headers; `numbers` are right-aligned columns, and text columns wrap until all fits."""
    right = set(numbers)
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(headers), *cells]) for i in range(len(headers))]
    _squeeze(widths, right, len(_GAP))
    lines = [*_lay(headers, widths, right), _GAP.join("-" * width for width in widths)]
    for row in cells:
        lines += _lay(row, widths, right)
    return lines


def _squeeze(widths: list[int], right: set[int], gap: int) -> None:
    """Narrows the widest column of text, a letter at a time, until the table fits the page."""
    soft = [i for i in range(len(widths)) if i not in right]
    while soft and sum(widths) + gap * (len(widths) - 1) > WIDTH:
        widest = max(soft, key=lambda i: widths[i])
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1


def _lay(row: Sequence[str], widths: Sequence[int], right: set[int]) -> list[str]:
    folded = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    lines = []
    for depth in range(max(map(len, folded))):
        parts = [part[depth] if depth < len(part) else "" for part in folded]
        lines.append(_GAP.join(
            part.rjust(width) if i in right else part.ljust(width)
            for i, (part, width) in enumerate(zip(parts, widths, strict=True))).rstrip())
    return lines
