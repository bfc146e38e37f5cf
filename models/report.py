"""An assessment -> one page of Markdown that says whether a card is fit to use, for the analyst who must decide.

The answer comes first, in words; each table after it is one reason for the answer. Figures are rounded here only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from models.assessment import (
    MOST_AUC_BEHIND,
    MOST_BRIER_BEHIND,
    MOST_ECE,
    RANK_BELOW_EVENTS,
    RANK_BELOW_ROWS,
    SILENT_BELOW_ROWS,
    About,
    Assessment,
    Evidence,
    Level,
    Licence,
    Rival,
    assess,
)
from models.capacity import Churn, Span, has_levelled
from models.intervals import Estimate

__all__ = ["About", "Assessment", "Evidence", "assess", "write_report"]

MEANING: dict[Level, str] = {
    "silent": "No. It may run unseen; nobody is shown its order or its probabilities. Rules only.",
    "rank": "To order cases, not to say how likely anything is. Show points and order, no probability.",
    "probability": "Yes, as one voice beside the rules: points, order and probability may be shown.",
}
NONE = "—"


def write_report(assessment: Assessment) -> str:
    """The report: answer, quality, calibration, capacity, baselines, steadiness, licence, model card."""
    parts = (_answer, _quality, _behind, _calibration, _capacity, _lifts, _rules, _steadiness, _curve, _licence, _about)
    return "\n\n".join(text for part in parts if (text := part(assessment))) + "\n"


# --- the answer -----------------------------------------------------------------------------------


def _answer(found: Assessment) -> str:
    whose = ""
    if found.subjects is not None:
        whose = f" about {found.subjects:,} {_plural(found.subjects, found.about.subject)}"
    lines = [f"# {found.about.title}: is it fit to use?", "",
             f"**{MEANING[found.licence.level]}** Licence: `{found.licence.level}`.", "",
             *(f"- {why[0].upper()}{why[1:]}." for why in found.licence.why),
             *(f"- **Before it is used:** {each}." for each in found.licence.review), "",
             f"Card `{found.about.card}`, fitted on {found.trained_rows:,} rows with {found.trained_events:,} events, "
             f"tested on {found.rows:,} later rows{whose} with {found.events:,} events "
             f"({_share(found.events / found.rows)}). In brackets: 95 % intervals."]
    if found.subjects is not None and found.subjects < found.rows:
        lines[-1] += (" Rows of one subject count together in the intervals of AUC and Brier; the other intervals take "
                      "every row for itself and are too narrow.")
    return "\n".join(lines)


def _quality(found: Assessment) -> str:
    rows = [_quality_row(each) for each in found.rivals]
    notes = [f"{each.name}: {each.why_not}." for each in found.rivals if each.quality is None]
    words = ("AUC: how often a case with the outcome is placed above one without (0.5 is chance, 1 is always). "
             "Brier and ECE: how far probabilities are from what happened (0 is best).")
    if any(each.role == "oracle" for each in found.rivals):
        words += " The oracle knows the true chances of an invented world: nothing can do better for long."
    if any(each.role == "challenger" for each in found.rivals):
        words += " Challengers run silently and are used on nobody."
    return "\n".join(["## Quality", "", _table(
        ("", "AUC", "Brier", "Log loss", "ECE", f"Precision in the first {found.capacity.places:,}"), rows), "",
        words, *notes])


def _quality_row(rival: Rival) -> tuple[str, ...]:
    if rival.quality is None or rival.capacity is None:
        return (rival.name, *[NONE] * 5)
    quality, at = rival.quality, rival.capacity
    return (rival.name, _estimate(quality.auc, 3), _number(quality.brier.value if quality.brier else None, 4),
            _number(quality.log_loss, 4), _number(quality.ece, 3), _interval(at.interval))


def _behind(found: Assessment) -> str:
    if not found.behind:
        return ""
    rows = [(each.name, _estimate(each.auc, 4), _estimate(each.brier, 4), "yes" if each.too_far else "no")
            for each in found.behind]
    return "\n".join(["### How far behind its challengers", "",
                      _table(("", "AUC behind", "Brier behind", "Too far?"), rows), "",
                      f"More than {MOST_AUC_BEHIND} AUC or {MOST_BRIER_BEHIND} Brier behind: open a model review. "
                      "Below 0 the card is the better one."])


# --- probabilities --------------------------------------------------------------------------------


def _calibration(found: Assessment) -> str:
    calibration = found.calibration
    rows = [(f"{_share(each.first)} to {_share(each.last)}", f"{each.rows:,}", f"{each.observed:,}",
             f"{each.expected:.1f}", _estimate(each.ratio, 2)) for each in calibration.bands]
    ratio, slope = calibration.in_the_large, calibration.slope
    said = [f"In all, observed over expected is {_estimate(ratio, 2)}{_judge_large(ratio)}.",
            f"The slope is {_estimate(slope, 2)}{_judge_slope(slope)}.",
            f"ECE is {calibration.ece:.3f}; on so many rows a perfect card would show up to "
            f"{calibration.ece_floor:.3f}."]
    return "\n".join(["## Do its probabilities come true?", "",
                      _table(("Said", "Rows", "Happened", "Expected", "Happened over expected"), rows), "", *said])


def _judge_large(ratio: Estimate | None) -> str:
    if ratio is None or not ratio.excludes(1):
        return ": neither too many nor too few are announced, as far as so many events can tell" if ratio else ""
    return ": too few are announced" if ratio.low > 1 else ": too many are announced"


def _judge_slope(slope: Estimate | None) -> str:
    if slope is None:
        return " (it cannot be measured)"
    if not slope.excludes(1):
        return ": high and low are as far apart as they should be, as far as can be told"
    return ": high and low are exaggerated" if slope.high < 1 else ": high and low are too close together"


# --- lists ----------------------------------------------------------------------------------------


def _capacity(found: Assessment) -> str:
    at = found.capacity
    rows = [("Right, of those on the list", *_span(at.precision)),
            ("Found, of all events", *(_span(at.recall) if at.recall else (NONE,) * 3))]
    words = [f"{at.sure:,} cases are above {at.cut:g} points; {at.tied:,} have exactly {at.cut:g} and share "
             f"{at.left:,} {_plural(at.left, 'place')}. Which of them are taken decides between worst and best; "
             "expected is by lot."
             if at.left < at.tied else f"No tie at the cut of {at.cut:g} points."]
    if found.borderline is not None:
        edge = found.borderline
        words.append(f"Borderline: for {edge.rows:,} cases, {_interval(edge.share)}, the interval straddles "
                     f"{_share(edge.cut)}, so that which side they are on is not known.")
    return "\n".join([f"## A list of {at.places:,}", "", _table(("", "Worst", "Expected", "Best"), rows), "", *words])


def _lifts(found: Assessment) -> str:
    rows = [(each.name, _share(each.card), _share(each.other), _estimate(each.ratio, 2), _share(each.overlap))
            for each in found.lifts]
    return "" if not rows else "\n".join([
        "### Beside rankings that need no card", "",
        _table(("", "Card right", "Other right", "Times as many", "Lists alike"), rows)])


def _rules(found: Assessment) -> str:
    rows = [(each.rule, f"{each.flagged:,} ({_share(each.share)})", f"{each.unknown:,}",
             _estimate_share(each.precision), _estimate_share(each.card), _share(each.overlap),
             f"{each.rule_only:.1f}", f"{each.card_only:.1f}") for each in found.rules]
    return "" if not rows else "\n".join([
        "### Beside each rule, on a list as long as the rule's", "",
        _table(("Rule", "Flagged", "Cannot tell", "Rule right", "Card right", "Lists alike",
                "Events only the rule finds", "Events only the card finds"), rows), "",
        "A rule may be worth having for its grounds when the card ranks better: rules can be argued with."])


def _steadiness(found: Assessment) -> str:
    if found.churn is None:
        return "## How steady is the list?\n\nNot measured."
    return "\n".join(["## How steady is the list?", "", *_say_churn(found.churn)])


def _say_churn(churn: Churn) -> list[str]:
    words = [f"Refitted {churn.refits} times on resampled history, two lists are alike by {_interval(churn.floor)}: "
             "Jaccard, the middle and the span of 95 in 100."]
    if churn.overlap is None or churn.entered is None:
        return words
    verdict = ("more than refitting on the same history would move it: ask what changed" if churn.beyond_noise
               else "no more than refitting on the same history would move it")
    return [*words, f"The list before and this one are alike by {_share(churn.overlap)}, with {churn.entered:.1f} "
                    f"places changed: {verdict}."]


def _curve(found: Assessment) -> str:
    rows = [(f"{each.rows:,}", _estimate(each.auc, 3), f"{each.brier:.4f}", f"{each.ece:.3f}")
            for each in found.curve]
    if not rows:
        return ""
    levelled = has_levelled(found.curve)
    verdict = {True: "More history of this kind would change little.",
               False: "It is still rising: more history would help.", None: "One step does not make a curve."}[levelled]
    return "\n".join(["## Would more history help?", "",
                      _table(("Training rows", "AUC (lowest to highest draw)", "Brier", "ECE"), rows), "", verdict])


# --- licence and model card -----------------------------------------------------------------------


def _licence(found: Assessment) -> str:
    licence: Licence = found.licence
    return "\n".join([
        "## The licence", "",
        f"- Silent below {SILENT_BELOW_ROWS} training rows, or where the test does not show it to rank better than "
        "chance.",
        f"- Order only below {RANK_BELOW_ROWS:,} rows or {RANK_BELOW_EVENTS} events, or with an ECE above {MOST_ECE} "
        "that chance does not explain.",
        f"- A model review where a challenger is better by more than {MOST_AUC_BEHIND} AUC or {MOST_BRIER_BEHIND} "
        "Brier, or where a ranking that needs no card finds as many events.", "",
        f"Decided: `{licence.level}`" + (f", with {len(licence.review)} "
                                         f"{_plural(len(licence.review), 'reason')} for a review."
                                         if licence.review else ", and no review called for.")])


def _about(found: Assessment) -> str:
    about = found.about
    said = (("What it is for", about.purpose),
            ("Subject and axis", " · ".join(filter(None, (about.subject, about.axis)))),
            ("Outcome", about.outcome), ("Data", about.data), ("Interventions", about.interventions),
            ("Who answers for it", about.answers))
    not_for = [f"- {each}" for each in about.not_for] or ["- Not written yet."]
    return "\n".join(["## Model card", "", *(f"**{name}.** {words or 'Not written yet.'}\n" for name, words in said),
                      "**What it is not for.**\n", *not_for])


# --- figures as text ------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(each.replace("|", "\\|") for each in line) + " |" for line in lines)


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def _estimate(found: Estimate | None, digits: int) -> str:
    return NONE if found is None else (
        f"{found.value:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})")


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _interval(found: Estimate) -> str:
    return f"{_share(found.value)} ({_share(found.low)} to {_share(found.high)})"


def _estimate_share(found: Estimate | None) -> str:
    return NONE if found is None else _interval(found)


def _span(found: Span) -> tuple[str, str, str]:
    return _share(found.worst), _share(found.expected), _share(found.best)


def _plural(count: int, word: str) -> str:
    return word if count == 1 else {"person": "people"}.get(word, f"{word}s")
