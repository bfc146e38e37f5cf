"""What was measured of cards -> docs/cards.md, a section at a time; the other sections stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from tests.bench.page import put_section, say_machine, write_table

TITLE = """# How good the cards are

Beside other models on tables anybody can load; beside what truly drives the outcome on an invented borough; and whether
an audit finds what was planted. Nothing here was measured on real people: the borough's authors decided what could be
learned in it, so read the differences between rows and not the figures themselves."""
SECTIONS = {"public": "Public tables", "borough": "An invented borough", "groups": "What an audit finds"}
MEASURES = {"selection": "put forward", "missed": "missed", "missed_true": "truly missed", "recorded": "recorded",
            "risk": "truly happened to"}

Found = Mapping[str, Any]


def put(page: Path, section: str, found: Found, load: float) -> None:
    """Writes one section into the page."""
    body = {"public": write_public, "borough": write_borough, "groups": write_groups}[section](found)
    put_section(page, SECTIONS[section], f"{say_machine(load, 'python -m tests.bench cards')}\n\n{body}", TITLE,
                tuple(SECTIONS.values()))


def write_public(found: Found) -> str:
    """One table: each set, each model, mean and range over the splits."""
    rows = []
    for name, each in found["sets"].items():
        for model, runs in each["models"].items():
            if isinstance(runs, str):
                rows.append([name, model, runs, *[""] * 5])
                continue
            rows.append([name, model, *(_say_range(runs, key, 3) for key in ("auc", "brier", "ece")),
                         *(_say_whole(runs, key) for key in ("factors", "cells")), f"{_mean(runs, 'seconds'):.1f} s"])
    sets = [f"- {name}: {each['rows']:,} rows, {each['columns']} columns, {each['share']:.0%} of the rows are 1; "
            f"{each['what']}." for name, each in found["sets"].items()]
    return "\n".join([
        *write_table(["set", "model", "AUC", "Brier", "ECE", "factors", "cells", "fit"], rows, words=(0, 1)), "",
        f"Means of {found['splits']} splits (seeds 0 to {found['splits'] - 1}; 60 % to learn, 40 % to test, "
        "stratified), in brackets the lowest and the highest. ECE: expected calibration error over ten bins of equal "
        "size; on a few hundred rows most of it is chance. Cells: lines somebody would look up, but for one of each "
        "factor; a FastRiskScore is made of such. Fit: seconds on one core, after everything that is compiled once.",
        "", *sets, "",
        "PointsCard has its defaults (12 factors, 10 points, 40 cells). The logistic regression has deciles and a "
        "penalty chosen by cross-validation. EBM learns without pairs of inputs, as the card does. FastRiskScore "
        "(imodels) is given as many cells as the card used on that split, and points up to 10. imodels brings 90 MB of "
        "plotting and, for this model, 190 MB of numba, so it is in no group of this project's: put it into an "
        f"environment of its own. Here: {', '.join(found['versions'])}."])


def write_borough(found: Found) -> str:
    """For each card: rivals, then rules."""
    parts = [f"{found['months']} months, seed {found['seed']}, a date every {found['every']} month(s). For offers, "
             "whose outcome takes a year, 120 months and a date every 3. Each date has a year of records behind it. "
             "The last third of the dates tests what the earlier ones taught, with the horizon left out between them, "
             "as `wardwise fit` does it. The "
             "list has as many places at each date as the policy gives a meeting. The oracle ranks by what the "
             "invention drew events from; it is a ceiling for what it drives, and other things are reported too. "
             "Intervals: 95 %, by subject."]
    for name, card in found["cards"].items():
        parts.append(f"### {card['title']}\n\n`{name}`. {_write_card(card)}")
    return "\n\n".join(parts)


def write_groups(found: Found) -> str:
    """What was planted and found, and how often something is found that was not planted."""
    gap, without = found["gap"], found["without"]
    measures = [each for each in MEASURES if each in gap["groups"]["group: C"]]
    rows = [[name.removeprefix("group: "), *(_say_finding(findings[each]) for each in measures)]
            for name, findings in gap["groups"].items()]
    nulls = [[f"{each['residents']:,}", str(seed), f"{each['cases']:,}", f"{each['places']:,}", str(each["tests"]),
              f"{len(each['differ'])}", f"{each['alarms']} of {each['tables']}"]
             for seed, each in enumerate(without, 1)]
    low, high = found["rate"][1:]
    verdict = "no more than" if low <= found["nominal"] else "more than"
    return "\n".join([
        f"The list: `{found['list']}`, {found['share']:.0%} of the residents, on the latest date that is told of.", "",
        f"### A gap in recording that was planted\n\n{gap['residents']:,} residents, seed 1. Of what the smallest "
        f"group (C, 15 %) suffers, anybody is told of {found['recorded']:.0%}; all groups suffer alike. "
        f"{gap['cases']:,} cases on {gap['as_of']}, {gap['tests']} tests.", "",
        *write_table(["group", *(MEASURES[each] for each in measures)], rows, words=(0,)), "",
        "Each: the difference to the other groups in points, with its interval, and the verdict, corrected for all "
        "tests.", "", "### Gaps that were not planted", "",
        *write_table(["residents", "seed", "cases", "places", "tests an audit", "findings with its own groups",
                      "alarms with groups dealt by lot"], nulls), "",
        "An alarm is an audit with anything “shown to differ”. "
        f"{found['alarms']} of {found['tables']} audits with groups dealt by lot raised one, "
        f"{100 * found['alarms'] / max(1, found['tables']):.1f} % ({100 * low:.1f} to {100 * high:.1f}): {verdict} the "
        f"nominal {100 * found['nominal']:g} %."])


# --- inside -------------------------------------------------------------------------------------


def _write_card(card: Found) -> str:
    if "why_not" in card:
        return f"No card: {card['why_not']}."
    rivals = [[each["name"] + (f" ({each['why_not']})" if each["why_not"] else ""),
               _say(each["auc"]), _say(each["brier"]),
               "—" if each["ece"] is None else f"{each['ece']:.3f}",
               "—" if each["precision"] is None else f"{each['precision']:.1%}"] for each in card["rivals"]]
    rules = [[f"`{each['rule']}`", f"{each['flagged']:,}", _say_percent(each["precision"]), _say_percent(each["card"])]
             for each in card["rules"] if each["flagged"] >= FEWEST]
    few = sum(each["flagged"] < FEWEST for each in card["rules"])
    lines = [
        f"{card['residents']:,} residents; {card['dates']} dates, {card['lists']} of them tested; learned from "
        f"{card['trained_rows']:,} rows with "
        f"{card['trained_events']:,} events, tested on {card['rows']:,} with {card['events']:,}. "
        f"{card['factors']} factors. Licence: {card['licence']}. {card['places']} places at each date.", "",
        *write_table(["ranking", "AUC", "Brier", "ECE", "right, of the list"], rivals, words=(0,))]
    if rules:
        lines += ["", *write_table(["rule", "fired", "right", "the card on as many"], rules, words=(0,))]
    if few:
        lines += ["", f"{few} rules of the axis fired for fewer than {FEWEST} of the rows tested."]
    return "\n".join(lines)


FEWEST = 10


def _mean(runs: Sequence[Found], key: str) -> float:
    return mean(each[key] for each in runs)


def _say_range(runs: Sequence[Found], key: str, digits: int) -> str:
    values = [each[key] for each in runs]
    return f"{mean(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def _say_whole(runs: Sequence[Found], key: str) -> str:
    return f"{_mean(runs, key):.0f}"


def _say(found: Sequence[float] | None) -> str:
    return "—" if found is None else f"{found[0]:.3f} ({found[1]:.3f}–{found[2]:.3f})"


def _say_percent(found: Sequence[float] | None) -> str:
    return "—" if found is None else f"{found[0]:.1%} ({found[1]:.1%}–{found[2]:.1%})"


def _say_finding(found: Found) -> str:
    gap = found["difference"]
    figures = "hidden" if gap is None else f"{100 * gap[0]:+.1f} ({100 * gap[1]:+.1f} to {100 * gap[2]:+.1f})"
    return f"{figures}: {found['verdict']}"
