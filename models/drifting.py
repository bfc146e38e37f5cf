"""A card, and what has become of those it was asked about since -> whether it still holds, on one page.

Two looks. Of a date whose outcome is told by now: did as much happen, total by total, as the card says? Of today: are
totals dealt as they were when it was learned? The first sees a world that has changed, the second other people, or a
feed that is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from engine.admission import check_cards
from engine.card import Card
from engine.drift import BandDrift, ScoreDrift, compare_bands, compare_scores
from engine.errors import Problem, RunError
from engine.known import Say
from engine.lake import Lake
from engine.pack import Pack
from engine.registry import empty_registry
from engine.tally import add_scores
from models.figures import write_share, write_table
from models.history import build_history
from models.outcomes import Outcome, read_outcomes
from models.snapshots import Facts, Past


@dataclass(frozen=True)
class Holding:
    """Whether a card still holds: `told` of a date whose outcome is known, `dealt` of a later one with `late` feeds."""

    card: Card
    told_of: date
    told: tuple[BandDrift, ...]
    dealt_of: date
    dealt: ScoreDrift
    late: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """No total whose outcomes lie outside what chance gives, and totals dealt as they were."""
        return not self.dealt.drifted and not any(each.drifted for each in self.told)


def follow_card(lake: Lake, pack: Pack, card: Card, *, seed: int, say: Say) -> str:
    """What `wardwise drift` does: the page on one card. Raises RuleError for an unfit card, RunError for too short a
    past."""
    check_cards([card], pack)
    outcomes = read_outcomes(pack)
    past = Past(lake, pack, outcomes, say=say)
    if card.outcome is None:
        raise RunError(Problem(card.where, "the card names no outcome", "an outcome of models/outcomes.yaml",
                               "without one nobody can tell whether it came true"))
    return write_holding(look_again(past, card, outcomes.find(card.outcome), seed))


def look_again(past: Past, card: Card, outcome: Outcome, seed: int) -> Holding:
    """Both looks at a card: at the latest date whose outcome is told, and at the latest date of all."""
    told_of = past.until - timedelta(days=outcome.horizon + outcome.settle)
    labels = build_history(past, outcome, [told_of]).known.rows[["subject", "label"]]
    then, now = (past.read_facts(day, empty_registry()) for day in (told_of, past.until))
    cases = find_totals(card, then).merge(labels, on="subject")
    return Holding(card, told_of, compare_told(card, cases), past.until,
                   compare_dealt(card, find_totals(card, now), seed), tuple(now.log["late"]))


def find_totals(card: Card, facts: Facts) -> pd.DataFrame:
    """Columns `subject` and `total`, of everybody the card is for."""
    assert card.subject is not None
    frame = facts.read(card.subject)[["subject", *card.reads]]
    scored: pd.DataFrame = add_scores(ibis.memtable(frame), [card]).execute()
    return pd.DataFrame({"subject": scored["subject"], "total": scored[f"card:{card.name}"]}).dropna()


def compare_told(card: Card, cases: pd.DataFrame) -> tuple[BandDrift, ...]:
    """Observed against expected for every line of the card's table. `cases`: `total`, and `label` 0 or 1."""
    rows = find_rows(card, cases["total"])
    chances = np.array([row.probability for row in card.scores])
    names = np.array([f"{place:02d}" for place in range(len(card.scores))])
    found = compare_bands(names[rows], chances[rows], cases["label"].to_numpy(np.int64))
    return tuple(_rename(each, card) for each in found)


def compare_dealt(card: Card, cases: pd.DataFrame, seed: int) -> ScoreDrift:
    """How differently totals are dealt from when the card was learned. `cases`: `total`."""
    now = np.bincount(find_rows(card, cases["total"]), minlength=len(card.scores))
    return compare_scores([row.rows for row in card.scores], now, seed)


def find_rows(card: Card, totals: Sequence[int] | pd.Series) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The place of each total in the card's table."""
    lasts = np.array([row.last for row in card.scores])
    return np.searchsorted(lasts, np.asarray(totals, dtype=np.int64))


def write_holding(found: Holding) -> str:
    """The page: the answer in words, the table, and what to do."""
    card, odd = found.card, [each for each in found.told if each.drifted]
    answer = "Nothing shows that it no longer holds." if found.holds else "It may no longer hold: see below."
    lines = [f"# {card.title}: does it still hold?", "", f"**{answer}**", "",
             f"Card `{card.name}`, asked about {sum(each.cases for each in found.told):,} cases of {found.told_of}; "
             "what became of them is known by now.", "",
             write_table(("Points", "Cases", "Expected", "Observed", "Observed / expected", ""), [
                 (each.band, f"{each.cases:,}", f"{each.expected:.1f}", f"{each.observed:,}",
                  f"{each.ratio:.2f} ({each.low:.2f} to {each.high:.2f})",
                  "does not hold" if each.drifted else "") for each in found.told]), "",
             f"On {found.dealt_of} totals were dealt with an index of {found.dealt.index:.3f} from when it was "
             f"learned; chance alone reaches {found.dealt.by_chance:.3f} one time in twenty"
             + (", so people or feeds have changed." if found.dealt.drifted else ", so nothing shows a change.")]
    lines += [f"Feeds late that day, which by themselves move totals: {', '.join(found.late)}."] if found.late else []
    lines += ["", _advise(found, odd)]
    return "\n".join(lines) + "\n"


# --- inside ---------------------------------------------------------------------------------------


def _rename(band: BandDrift, card: Card) -> BandDrift:
    row = card.scores[int(band.band)]
    return BandDrift(f"{row.first} to {row.last} ({write_share(row.probability)})",
                     band.cases, band.observed, band.expected, band.low, band.high)


def _advise(found: Holding, odd: Sequence[BandDrift]) -> str:
    if found.holds:
        return "Look again when the next outcomes are told. A look at few cases finds only large changes."
    less = sum(each.ratio < 1 for each in odd)
    said = [f"In {len(odd)} lines what happened is not what the card says, in {less} of them less."] if odd else []
    return " ".join([*said, "Take a live card off (`status: retired`) or learn it anew; until then trust the rules, "
                            "and find out what changed: a feed, how reports are recorded, or the people."])
