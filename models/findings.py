"""An audit -> one page of Markdown that says in words how a list treats groups, and what cannot be told.

Hidden counts are printed as “under 10 or hidden”: saying which of the two would tell what is hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.equality import NOT_KNOWN
from models.fairness import Audit, Finding, GroupFindings, Measure
from models.intervals import Estimate

HIDDEN = "hidden"
MOST_FACTORS = 4        # more reasons than four are not read (Regulation B's commentary says the same)
TITLES: dict[Measure, tuple[str, str]] = {
    "selection": ("How often put forward", "of all cases of the group"),
    "precision": ("How often rightly", "of those put forward, the share with the outcome"),
    "missed": ("How often missed", "of those with the outcome, the share not put forward"),
    "calibration": ("Whether probabilities come true", "events observed over expected: above 1 too few were expected"),
    "recorded": ("How often recorded", "of those with the outcome in truth, the share recorded"),
    "risk": ("How often it truly happens", "of all cases of the group, whoever recorded it"),
    "missed_true": ("How often truly missed", "of those with the outcome in truth, the share not put forward"),
}
PHRASES: dict[Measure, tuple[str, str]] = {     # above the others, below the others
    "selection": ("It is put forward more often", "It is put forward less often"),
    "precision": ("It is put forward rightly more often", "It is put forward rightly less often"),
    "missed": ("It is missed more often", "It is missed less often"),
    "calibration": ("More happens to it, beside what was expected,", "Less happens to it, beside what was expected,"),
    "recorded": ("What happens to it is recorded more often", "What happens to it is recorded less often"),
    "risk": ("In truth it happens to it more often", "In truth it happens to it less often"),
    "missed_true": ("In truth it is missed more often", "In truth it is missed less often"),
}


def write_audit(audit: Audit, about: Sequence[str] = ()) -> str:
    """The page: which list (`about`, in sentences), what was found; a table for each measure; how to read it."""
    measures = [each for each in TITLES if any(found.measure == each for found in audit.groups[0].findings)]
    parts = [_open(audit, about), *(_table(audit, measure) for measure in measures), _close(audit)]
    return "\n\n".join(parts) + "\n"


def explain(group: GroupFindings, with_truth: bool) -> tuple[str, ...]:
    """What was found on one group, in sentences; nothing where nothing was shown to differ."""
    differing = [each for each in group.findings if each.verdict == "shown to differ"]
    said = [_say(each) for each in differing]
    if said:
        said += _interpret(group, with_truth)
    return tuple(said)


def _open(audit: Audit, about: Sequence[str]) -> str:
    lines = [f"- **{group.name}.** {' '.join(said)}" for group in audit.groups if not _is_mirror(audit, group)
             and (said := explain(group, audit.with_truth))]
    count = "A number too small to be shown" if audit.selected is None else f"{audit.selected:,}"
    opening = " ".join([*about, f"{count} of {audit.cases:,} cases were put forward."])
    alike = sum(1 for _ in audit.select("shown to be alike"))
    unknown = sum(1 for _ in audit.select("cannot tell"))
    return "\n".join([
        "# How the list treats groups", "", opening, "",
        *(lines or ["- Nothing was shown to differ. That alone does not show that anything is alike."]), "",
        f"Of all findings, {alike:,} were shown to be alike and {unknown:,} cannot be told with so many cases."])


def _say(finding: Finding) -> str:
    if finding.difference is None:
        return f"{TITLES[finding.measure][0]}: differs from the others; the figures are hidden."
    gap, why = finding.difference, ""
    above, below = PHRASES[finding.measure]
    speaking = [each for each in finding.because if each.explained * each.gap > 0][:MOST_FACTORS]
    if speaking:
        parts = ", ".join(f"{each.factor} ({100 * each.explained:+.1f} of {100 * each.gap:+.1f} points)"
                          for each in speaking)
        why = f" What makes the gap on the card's own list: {parts}."
    return f"{above if gap.value > 0 else below} than the others, by {_points(gap)}.{why}"


def _is_mirror(audit: Audit, group: GroupFindings) -> bool:
    """Whether the group is the second of two halves: everything about it was said of the first, the other way round."""
    halves = [each for each in audit.groups if each.columns == group.columns and NOT_KNOWN not in each.values]
    return len(halves) == 2 and group is halves[1]


def _interpret(group: GroupFindings, with_truth: bool) -> Iterator[str]:
    """What the findings mean together: a gap in recording looks like a gap in risk until something else is asked."""
    verdicts = {each.measure: each.verdict for each in group.findings}
    if with_truth:
        if verdicts["recorded"] == "shown to differ":
            yield ("This is a gap in recording"
                   + (", not in risk: what truly happens was shown to be alike."
                      if verdicts["risk"] == "shown to be alike" else
                      "; whether there is one in risk too " + ("cannot be told." if verdicts["risk"] == "cannot tell"
                                                               else "was asked, and there is.")))
        elif verdicts["risk"] == "shown to differ":
            yield "What truly happens differs too: the gap is not one of recording alone."
    elif verdicts["selection"] == "shown to differ":
        yield ("Whether its events are recorded as often as others' cannot be told from these records: unequal "
               "recording looks just like unequal risk, also where probabilities come true. Ask a source that nobody's "
               "reporting decides.")


def _table(audit: Audit, measure: Measure) -> str:
    title, meaning = TITLES[measure]
    lines = [f"## {title}", "", f"{meaning[0].upper()}{meaning[1:]}.", "",
             "| Group | Cases | Value | Difference to the others | Alike within | Verdict |",
             "| --- | ---: | ---: | ---: | ---: | --- |"]
    for group in audit.groups:
        found = group.find(measure)
        value = HIDDEN if found.value is None else (
            _ratio(found.value) if measure == "calibration" else _percent(found.value))
        cases = HIDDEN if group.counts["cases"] is None else f"{group.counts['cases']:,}"
        margin = "—" if found.margin is None else f"{100 * found.margin:.1f} points"
        gap = HIDDEN if found.difference is None else _points(found.difference)
        lines.append(f"| {group.name} | {cases} | {value} | {gap} | {margin} | {found.verdict} |")
    return "\n".join(lines)


def _close(audit: Audit) -> str:
    return "\n".join([
        "## How to read this", "",
        "- In brackets: 95 % intervals of one figure for itself. Verdicts are stricter: they are corrected for all "
        f"{audit.tests:,} tests of this audit (Holm), so that at most 5 of 100 audits of equal groups find anything.",
        f"- “Shown to be alike”: the difference lies within {100 * audit.margin:g} points, or within a quarter of the "
        "rate where that is less. “Cannot tell” is no finding: there were too few cases.",
        f"- “{HIDDEN.capitalize()}”: a count under 10, or one from which such a count could be worked out.",
        "- Groups are read from a table that no rule and no card can read.",
        *(["- Truth: an outcome that nobody's reporting decides."] if audit.with_truth else
          ["- No outcome was given that nobody's reporting decides, so recording and risk are not told apart."])])


def _percent(found: Estimate) -> str:
    return f"{100 * found.value:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f})"


def _points(found: Estimate) -> str:
    return f"{100 * found.value:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def _ratio(found: Estimate) -> str:
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
