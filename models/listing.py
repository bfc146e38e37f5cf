"""An assessment -> the part of its page about lists: what one holds, beside counting, beside rules, and how steadily.

A meeting has so many places. Everything here asks who would have them, and whether rightly.
"""

from __future__ import annotations

from models.assessment import Assessment
from models.capacity import Churn, RuleBaseline, has_levelled
from models.figures import NONE, plural, write_estimate, write_interval, write_share, write_span, write_table
from models.intervals import Estimate
from models.routes import Route, Routes
from models.suppression import LEAST

HIDDEN = f"under {LEAST} or hidden"


def write_lists(found: Assessment) -> str:
    """Capacity, rankings that need no card, rules, routes, steadiness and learning curve."""
    parts = (_capacity, _lifts, _rules, _routes, _steadiness, _curve)
    return "\n\n".join(text for part in parts if (text := part(found)))


def _capacity(found: Assessment) -> str:
    at = found.capacity
    rows = [("Right, of those on the list", *write_span(at.precision)),
            ("Found, of all events", *(write_span(at.recall) if at.recall else (NONE,) * 3))]
    words = [f"{at.sure:,} cases are above {at.cut:g} points; {at.tied:,} have exactly {at.cut:g} and share "
             f"{at.left:,} {plural(at.left, 'place')}. Which of them are taken decides between worst and best; "
             "expected is by lot."
             if at.left < at.tied else f"No tie at the cut of {at.cut:g} points."]
    if found.lists > 1:
        words.insert(0, f"The test has {found.lists} dates: {at.places / found.lists:g} places at each, given to the "
                        "highest points of all dates together.")
    if found.borderline is not None:
        edge = found.borderline
        words.append(f"Borderline: for {edge.rows:,} cases, {write_interval(edge.share)}, the interval straddles "
                     f"{write_share(edge.cut)}, so that which side they are on is not known.")
    table = write_table(("", "Worst", "Expected", "Best"), rows)
    return "\n".join([f"## A list of {at.places:,}", "", table, "", *words])


def _lifts(found: Assessment) -> str:
    rows = [(each.name, write_share(each.card), write_share(each.other), write_estimate(each.ratio, 2),
             write_share(each.overlap)) for each in found.lifts]
    return "" if not rows else "\n".join([
        "### Beside rankings that need no card", "",
        write_table(("", "Card right", "Other right", "Times as many", "Lists alike"), rows)])


# --- rules ----------------------------------------------------------------------------------------


def _rules(found: Assessment) -> str:
    if not found.rules:
        return ""
    told = [each for each in found.rules if each.flagged >= LEAST]
    few = [each.rule for each in found.rules if 0 < each.flagged < LEAST]
    none = [each.rule for each in found.rules if not each.flagged]
    words = [*([f"Fired for under {LEAST} cases, so that nothing is told of them: {', '.join(few)}."] if few else []),
             *([f"Fired for nobody in the test: {', '.join(none)}."] if none else []), _say_retirable(found),
             "Some of these counts of events are under 10: this table is for the partnership and is not published."]
    return "\n".join(["### Beside each rule, on a list as long as the rule's", "",
                      *([_write_rules(told), ""] if told else []), *words])


def _write_rules(rules: list[RuleBaseline]) -> str:
    lines = [(each.rule, f"{each.flagged:,} ({write_share(each.share)})", f"{each.unknown:,}",
              write_interval(each.precision), write_interval(each.card), _times(each.card, each.precision),
              write_share(each.overlap), f"{each.rule_only:.1f}", f"{each.card_only:.1f}") for each in rules]
    return write_table(("Rule", "Flagged", "Cannot tell", "Rule right", "Card right", "Times as often", "Lists alike",
                        "Events only the rule finds", "Events only the card finds"), lines)


def _times(card: Estimate | None, rule: Estimate | None) -> str:
    return NONE if card is None or rule is None or not rule.value else f"{card.value / rule.value:.1f}"


def _say_retirable(found: Assessment) -> str:
    words = "A rule may be worth having for its grounds when the card ranks better: rules can be argued with."
    if not found.retirable:
        return f"{words} No rule looks as if it could be retired on these figures."
    return (f"{words} On these figures alone could be retired: {', '.join(found.retirable)}. The card is right more "
            "often on as many cases, and finds the events they find. Ask the rule's owner first.")


# --- routes ---------------------------------------------------------------------------------------


def _routes(found: Assessment) -> str:
    routes = found.routes
    if routes is None:
        return ""
    names = ("Rules and card", "Rules alone", "Card alone", "Neither")
    rows = [(name, f"{cell.rows:,.0f}" if cell.shown else HIDDEN, write_interval(cell.share))
            for name, cell in zip(names, routes.cells, strict=True)]
    return "\n".join([
        "### Which route puts names there: live rules, or the card at capacity", "",
        write_table(("Put forward by", "Cases", "Happened"), rows), "",
        f"For {routes.unknown:,} cases no rule fired and some rule could not tell; they count as not put forward.",
        f"- Card alone: {_say_card_alone(routes)}", f"- Rules alone: {_say_rules_alone(routes)}"])


def _say_card_alone(routes: Routes) -> str:
    sample = "Have an officer read a sample of them before anybody relies on it: no rule gives grounds for them."
    if not routes.card_alone.shown:
        return f"hidden, or too few to say anything. {sample}"
    if _likelier(routes.card_alone, routes.neither):
        return f"it happened to them more often than to those neither route puts forward. {sample}"
    return f"not shown to be likelier than those neither route puts forward. {sample}"


def _say_rules_alone(routes: Routes) -> str:
    if not routes.rules_alone.shown:
        return "hidden, or too few to say anything, so nothing here speaks for retiring a rule."
    if _likelier(routes.rules_alone, routes.neither):
        return "it happened to them more often than to those neither route puts forward: the card would miss them."
    return ("not shown to be likelier than those neither route puts forward. That speaks against a rule only where the "
            "rule is there to foresee this outcome, and not for its grounds.")


def _likelier(cell: Route, than: Route) -> bool:
    return cell.share is not None and than.share is not None and cell.share.low > than.share.high


# --- steadiness -----------------------------------------------------------------------------------


def _steadiness(found: Assessment) -> str:
    if found.churn is None:
        return "## How steady is the list?\n\nNot measured."
    return "\n".join(["## How steady is the list?", "", *_say_churn(found.churn)])


def _say_churn(churn: Churn) -> list[str]:
    words = [f"Refitted {churn.refits} times on resampled history, two lists are alike by "
             f"{write_interval(churn.floor)}: Jaccard, the middle and the span of 95 in 100."]
    if churn.overlap is None or churn.entered is None:
        return words
    verdict = ("more than refitting on the same history would move it: ask what changed" if churn.beyond_noise
               else "no more than refitting on the same history would move it")
    return [*words, f"Learned without its newest date, its list and this one are alike by "
                    f"{write_share(churn.overlap)}, with {churn.entered:.1f} places changed: {verdict}."]


def _curve(found: Assessment) -> str:
    rows = [(f"{each.rows:,}", write_estimate(each.auc, 3), f"{each.brier:.4f}", f"{each.ece:.3f}")
            for each in found.curve]
    if not rows:
        return ""
    levelled = has_levelled(found.curve)
    verdict = {True: "More history of this kind would change little.",
               False: "It is still rising: more history would help.", None: "One step does not make a curve."}[levelled]
    table = write_table(("Training rows", "AUC (lowest to highest draw)", "Brier", "ECE"), rows)
    return "\n".join(["## Would more history help?", "", table, "", verdict])
