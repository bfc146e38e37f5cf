"""One council's name and colour -> the few lines of style that make the site theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import Problem, UsageError

LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: the council's name stands in white on its colour."""

_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Brand:
    """Whose site it is. `exit_to`: where "Exit this page" leads; the site's own empty page if nobody says otherwise.

    Raises UsageError for a colour on which white cannot be read.
    """

    council: str = "Example Council"
    colour: str = "#1d4f63"
    exit_to: str = "/away"
    contact: str = "your community safety team"

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.colour):
            raise UsageError(Problem("the council's colour", f"{self.colour!r} is not a colour",
                                     "# and six of 0-9 and a-f, such as #1d4f63", "ask whoever keeps the brand"))
        seen = contrast(self.colour, "#ffffff")
        if seen < LEAST_CONTRAST:
            raise UsageError(Problem("the council's colour", f"white on {self.colour} has a contrast of {seen:.1f}",
                                     f"at least {LEAST_CONTRAST}", "take a darker shade of it"))

    @property
    def style(self) -> str:
        """The style sheet: GOV.UK Frontend reads its brand colour from these properties."""
        return f":root{{--govuk-brand-colour:{self.colour};--ww-brand:{self.colour}}}\n"


def read_brand(environment: Mapping[str, str]) -> Brand:
    """The brand in environment variables; what none says is as usual. Raises UsageError."""
    said = {"council": "WARDWISE_COUNCIL", "colour": "WARDWISE_COLOUR", "exit_to": "WARDWISE_EXIT",
            "contact": "WARDWISE_CONTACT"}
    return Brand(**{field: environment[name] for field, name in said.items() if environment.get(name)})


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
