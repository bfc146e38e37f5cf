"""Rows -> CSV that a spreadsheet opens as text, whatever a partner's file tried to put into it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# A cell that begins with one of these is a formula to a spreadsheet (OWASP, CSV injection).
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV text with a header. Text that a spreadsheet would calculate gets an apostrophe in front."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([neutralise(header) for header in headers])
    writer.writerows([neutralise(cell) for cell in row] for row in rows)
    return text.getvalue()


def neutralise(cell: object) -> object:
    """The cell, made harmless; a number stays a number."""
    if cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)):
        return cell
    text = str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(_DANGEROUS) else text
