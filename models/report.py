"""An assessment -> one page of Markdown that says whether a card is fit to use, for the analyst who must decide.

The answer comes first, in words; each table after it is one reason for the answer. Figures are rounded here only.
"""

from __future__ import annotations

from engine.licence import ENOUGH_EVENTS, ENOUGH_ROWS, LEAST_ROWS
from engine.licence import Licence as Level
from models.assessment import About, Assessment, Evidence, Rival, assess
from models.figures import (
    NONE,
    plural,
    write_estimate,
    write_interval,
    write_number,
    write_share,
    write_table,
)
from models.intervals import Estimate
from models.licence import (
    MOST_AUC_BEHIND,
    MOST_BRIER_BEHIND,
    MOST_ECE,
    Licence,
)
from models.listing import write_lists

__all__ = ["About", "Assessment", "Evidence", "assess", "write_report"]

MEANING: dict[Level, str] = {
    "silent": "No. It may run unseen; nobody is shown its order or its probabilities. Rules only.",
    "rank": "To order cases, not to say how likely anything is. Show points and order, no probability.",
    "probability": "Yes, as one voice beside the rules: points, order and probability may be shown.",
}


def write_report(assessment: Assessment) -> str:
    """The report: answer, quality, calibration, capacity, baselines, steadiness, licence, model card."""
    parts = (_answer, _quality, _behind, _calibration, write_lists, _licence, _checked, _about)
    return "\n\n".join(text for part in parts if (text := part(assessment))) + "\n"


# --- the answer -----------------------------------------------------------------------------------


def _answer(found: Assessment) -> str:
    whose = ""
    if found.subjects is not None:
        whose = f" about {found.subjects:,} {plural(found.subjects, found.about.subject)}"
    lines = [f"# {found.about.title}: is it fit to use?", "",
             f"**{MEANING[found.licence.level]}** Licence: `{found.licence.level}`.", "",
             *(f"- {why[0].upper()}{why[1:]}." for why in found.licence.why),
             *(f"- **Before it is used:** {each}." for each in found.licence.review), "",
             f"Card `{found.about.card}`, fitted on {found.trained_rows:,} rows with {found.trained_events:,} events, "
             f"tested on {found.rows:,} later rows{whose} with {found.events:,} events "
             f"({write_share(found.events / found.rows)}). In brackets: 95 % intervals."]
    if found.subjects is not None and found.subjects < found.rows:
        lines[-1] += (" Rows of one subject count together in the intervals of AUC and Brier; the other intervals take "
                      "every row for itself and are too narrow.")
    return "\n".join(lines)


def _quality(found: Assessment) -> str:
    rows = [_quality_row(each) for each in found.rivals]
    notes = [f"{each.name}: {each.why_not or each.how}." for each in found.rivals if each.why_not or each.how]
    words = ("AUC: how often a case with the outcome is placed above one without (0.5 is chance, 1 is always). "
             "Brier and ECE: how far probabilities are from what happened (0 is best).")
    if any(each.role == "oracle" for each in found.rivals):
        words += " The oracle knows the true chances of an invented world: nothing can do better for long."
    if any(each.role == "challenger" for each in found.rivals):
        words += " Challengers run silently and are used on nobody."
    return "\n".join(["## Quality", "", write_table(
        ("", "AUC", "Brier", "Log loss", "ECE", f"Precision in the first {found.capacity.places:,}"), rows), "",
        words, *notes])


def _quality_row(rival: Rival) -> tuple[str, ...]:
    if rival.quality is None or rival.capacity is None:
        return (rival.name, *[NONE] * 5)
    quality, at = rival.quality, rival.capacity
    return (rival.name, write_estimate(quality.auc, 3), write_number(quality.brier.value if quality.brier else None, 4),
            write_number(quality.log_loss, 4), write_number(quality.ece, 3), write_interval(at.interval))


def _behind(found: Assessment) -> str:
    if not found.behind:
        return ""
    rows = [(each.name, write_estimate(each.auc, 4), write_estimate(each.brier, 4), "yes" if each.too_far else "no")
            for each in found.behind]
    return "\n".join(["### How far behind its challengers", "",
                      write_table(("", "AUC behind", "Brier behind", "Too far?"), rows), "",
                      f"More than {MOST_AUC_BEHIND} AUC or {MOST_BRIER_BEHIND} Brier behind: open a model review. "
                      "Below 0 the card is the better one."])


# --- probabilities --------------------------------------------------------------------------------


def _calibration(found: Assessment) -> str:
    calibration = found.calibration
    rows = [(f"{write_share(each.first)} to {write_share(each.last)}", f"{each.rows:,}", f"{each.observed:,}",
             f"{each.expected:.1f}", write_estimate(each.ratio, 2)) for each in calibration.bands]
    ratio, slope = calibration.in_the_large, calibration.slope
    said = [f"In all, observed over expected is {write_estimate(ratio, 2)}{_judge_large(ratio)}.",
            f"The slope is {write_estimate(slope, 2)}{_judge_slope(slope)}.",
            f"ECE is {calibration.ece:.3f}; on so many rows a perfect card would show up to "
            f"{calibration.ece_floor:.3f}."]
    return "\n".join(["## Do its probabilities come true?", "",
                      write_table(("Said", "Rows", "Happened", "Expected", "Happened over expected"), rows), "", *said])


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


# --- licence and model card -----------------------------------------------------------------------


def _licence(found: Assessment) -> str:
    licence: Licence = found.licence
    return "\n".join([
        "## The licence", "",
        f"- Silent below {LEAST_ROWS} training rows, or where the test does not show it to rank better than "
        "chance.",
        f"- Order only below {ENOUGH_ROWS:,} rows or {ENOUGH_EVENTS} events, or with an ECE above {MOST_ECE} "
        "that chance does not explain.",
        f"- A model review where a challenger is better by more than {MOST_AUC_BEHIND} AUC or {MOST_BRIER_BEHIND} "
        "Brier, or where a ranking that needs no card finds as many events.", "",
        f"Decided: `{licence.level}`" + (f", with {len(licence.review)} "
                                         f"{plural(len(licence.review), 'reason')} for a review."
                                         if licence.review else ", and no review called for.")])


def _checked(found: Assessment) -> str:
    looked = [f"- {each}" for each in found.about.checked]
    return "\n".join(["## Looked for and not found", "", *looked]) if looked else ""


def _about(found: Assessment) -> str:
    about = found.about
    said = (("What it is for", about.purpose),
            ("Subject and axis", " · ".join(filter(None, (about.subject, about.axis)))),
            ("Outcome", about.outcome), ("Data", about.data), ("Interventions", about.interventions),
            ("Who answers for it", about.answers))
    not_for = [f"- {each}" for each in about.not_for] or ["- Not written yet."]
    return "\n".join(["## Model card", "", *(f"**{name}.** {words or 'Not written yet.'}\n" for name, words in said),
                      "**What it is not for.**\n", *not_for])
