"""How much a card was fitted on and how its test went -> what may be shown of it: nothing, an order, or a probability.

A licence never rises because a card is useful: only because there is enough to know it by.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.licence import ENOUGH_EVENTS, ENOUGH_ROWS, LEAST_ROWS, LICENCES
from engine.licence import Licence as Level
from models.capacity import Lift
from models.intervals import Estimate
from models.metrics import Calibration, Quality

# Measured on 20,000 parole cases (fixed test of 6,000): below 1,000 training rows the calibration error is .04 to .07;
# .02 and a levelling AUC come at about 2,500. Below 500 even the order is not to be relied on: see engine.licence.
MOST_ECE = 0.02
# What a card may give away for being read by an officer; more, and somebody must ask why.
MOST_AUC_BEHIND = 0.02
MOST_BRIER_BEHIND = 0.004


@dataclass(frozen=True)
class Behind:
    """How far the card is behind a challenger on the same rows: above 0 the challenger is better."""

    name: str
    auc: Estimate | None
    brier: Estimate | None

    @property
    def too_far(self) -> bool:
        """Whether the gap is larger than a readable card may cost."""
        return ((self.auc is not None and self.auc.value > MOST_AUC_BEHIND)
                or (self.brier is not None and self.brier.value > MOST_BRIER_BEHIND))


@dataclass(frozen=True)
class Licence:
    """What may be shown of the card, why no more, and what must be looked at before it is used."""

    level: Level
    why: tuple[str, ...]
    review: tuple[str, ...]


def decide_licence(
    rows: int, events: int, card: Quality, calibration: Calibration,
    behind: tuple[Behind, ...] = (), lifts: tuple[Lift, ...] = (), also: tuple[str, ...] = (),
) -> Licence:
    """The lowest level that any condition allows, each condition in words, and what calls for a model review."""
    found = [*_judge_history(rows, events), *_judge_test(card, calibration)]
    level: Level = min((each for each, _ in found), key=LICENCES.index, default="probability")
    why = tuple(words for each, words in found if each == level)
    return Licence(level, why or (f"fitted on {rows:,} rows with {events:,} events; calibrated on its test",),
                   (*(words for each in behind if (words := _say_behind(each))), *_judge_lifts(lifts), *also))


# --- inside ----------------------------------------------------------------------------------


def _judge_history(rows: int, events: int) -> list[tuple[Level, str]]:
    found: list[tuple[Level, str]] = []
    if rows < LEAST_ROWS:
        found.append(("silent", f"fitted on {rows:,} rows; {LEAST_ROWS:,} are needed for an order"))
    if rows < ENOUGH_ROWS:
        found.append(("rank", f"fitted on {rows:,} rows; {ENOUGH_ROWS:,} are needed for a probability"))
    if events < ENOUGH_EVENTS:
        found.append(("rank", f"fitted on {events:,} events; {ENOUGH_EVENTS:,} are needed for a probability"))
    return found


def _judge_test(card: Quality, calibration: Calibration) -> list[tuple[Level, str]]:
    found: list[tuple[Level, str]] = []
    if card.auc is None:
        found.append(("silent", "the test has events only, or none: nothing is known of its order"))
    elif card.auc.low <= 0.5:
        found.append(("silent", "on its test it is not shown to rank better than chance: "
                                f"AUC {card.auc.value:.3f}, at least {card.auc.low:.3f}"))
    if calibration.ece > max(MOST_ECE, calibration.ece_floor):
        found.append(("rank", f"its probabilities are {calibration.ece:.3f} off on average; {MOST_ECE} is allowed, and "
                              f"chance alone explains up to {calibration.ece_floor:.3f}"))
    return found


def _say_behind(behind: Behind) -> str:
    if not behind.too_far:
        return ""
    gaps = [f"{gap.value:.4f} {name} (allowed: {most})" for gap, name, most in
            ((behind.auc, "AUC", MOST_AUC_BEHIND), (behind.brier, "Brier", MOST_BRIER_BEHIND))
            if gap is not None and gap.value > most]
    return f"{behind.name} is better by {' and '.join(gaps)}: open a model review"


def _judge_lifts(lifts: tuple[Lift, ...]) -> list[str]:
    return [f"its list holds no more events than the list by {each.name}, which needs no card: open a model review"
            for each in lifts if each.card <= each.other]
