"""What a value is written as on paper, the same in every format."""

from __future__ import annotations

import re
from datetime import date

from api.papers.paper import Value
from api.words import say_day

LANGUAGE = "en-GB"
MAKER = "Wardwise"
NOTHING = "–"       # in a table, where there is no number: an empty cell could be one that was forgotten

# What XML 1.0 cannot hold, and so neither Word nor a spreadsheet; somebody may have pasted it.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """The text without what no file can hold, each replaced by a space; line ends as one character."""
    return _UNWRITABLE.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


def say_value(value: Value) -> str:
    """A value in words."""
    if value is None:
        return NOTHING
    if isinstance(value, date):
        return say_day(value)
    return clean(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
