"""A kept screening as plain text an officer reads with the applicant in the room: what to ask first, then why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.layout import bullets, heading, table, wrap
from api.text import write_tree
from api.words import (
    ASK_OF,
    CHECKED,
    DIGEST_LENGTH,
    LEVELS,
    RESULTS,
    SAID_BY,
    STEPS,
    say_day,
    say_silence,
)

Plain = Mapping[str, Any]


def write_screening(screening: Plain, id: str, matches: Sequence[Plain] | None = None) -> str:
    """One screening, complete, as it was kept."""
    proposal = f", proposal {screening['proposal']}" if screening["proposal"] else ""
    lines = [f"{RESULTS[screening['result']].upper()}  |  {id}",
             f"Application {screening['application']} for home {screening['uprn']}{proposal}, "
             f"as of {say_day(screening['as_of'])}", "", *wrap(screening["headline"])]
    for part in (_questions, _conflicts, _told, _unchecked, _factors):
        lines += part(screening)
    if matches is not None:
        lines += _matches(matches)
    return "\n".join([*lines, *_about(screening, id)]) + "\n"


def write_shortlist(uprn: str, as_of: str, listed: Sequence[Plain]) -> str:
    """Everybody on a home's shortlist, in the scheme's order, which nothing here changes."""
    if not listed:
        return "\n".join(wrap(f"Nobody live on the register to screen for home {uprn} as of {say_day(as_of)}.")) + "\n"
    lines = [f"Shortlist of home {uprn}, as of {say_day(as_of)}", "", *wrap(
        "In the order of the published scheme. Screening changes nothing in it, and nobody is passed over because of "
        "what stands here: it says what to settle first."), ""]
    rows = [[m["application"], m["name"], RESULTS[m["result"]], m["hard"], m["soft"], m["cannot_tell"]]
            for m in listed]
    lines += table(["application", "where it stands", "first", "hard", "soft", "not checked"], rows, range(3, 6))
    return "\n".join([*lines, "", f"`wardwise screen --applicant APPLICATION --property {uprn}` says why."]) + "\n"


# --- inside -------------------------------------------------------------------------------------


def _questions(screening: Plain) -> list[str]:
    now = [q for q in screening["questions"] if q["now"]]
    later = [q for q in screening["questions"] if not q["now"]]
    if not now and not later:
        return []
    lines = heading("Ask before deciding")
    for question in now:
        allowed = {"boolean": "yes or no", "code": " / ".join(question["values"])}.get(question["type"], "a number")
        lines += wrap(f"{question['ask']}  ({ASK_OF[question['of']]}; {allowed})", "- ")
        lines += wrap(f"could change: {'; '.join(question['could_change'])}", "  ")
        lines += [f"  --answer {question['fact']}=..."]
    if later:
        lines += wrap("These may come to matter after that: " + "; ".join(q["ask"] for q in later), "  ")
    return lines


def _conflicts(screening: Plain) -> list[str]:
    if not screening["conflicts"]:
        return []
    lines = heading("What was found")
    for number, conflict in enumerate(screening["conflicts"], 1):
        lines += [""] if number > 1 else []
        lines += wrap(f"{conflict['title']} ({conflict['reference']}): {RESULTS[conflict['result']].lower()}, "
                      f"{LEVELS[conflict['level']]}", f"{number}. ")
        lines += wrap(conflict["because"], "   ")
        lines += wrap(conflict["why"], "   ")
        for step, title in STEPS.items():
            said = [r["text"] for r in conflict["respond"] if r["step"] == step]
            lines += [f"   {title}:", *bullets(said, "     ")] if said else []
        lines += wrap("What would change it: " + "; ".join(conflict["would_change"]) + ".", "   ") \
            if conflict["would_change"] else []
        lines += ["   What was looked at:", *write_tree(conflict["tree"], 2)]
        lines += wrap(f"Can confirm it: {', '.join(conflict['confirm'])}. It serves: {conflict['factor']}. "
                      f"Authority: {conflict['authority']}. Rule {conflict['rule']}.", "   ")
    return lines


def _told(screening: Plain) -> list[str]:
    said = [f"{t['title']}: {t['value']} ({SAID_BY[t['by']]} on {say_day(t['told_on'])}; {t['note']})"
            for t in screening["told"]]
    return [*heading("What was told"), *bullets(said)] if said else []


def _unchecked(screening: Plain) -> list[str]:
    lines = heading("What was not checked: not known is not “no”")
    for rule in screening["unchecked"]:
        facts = "; ".join(rule["facts"]) or "what another rule waits for"
        lines += wrap(f"{rule['title']} ({LEVELS[rule['level']]}). Not known: {facts}. "
                      f"{', '.join(rule['agencies']) or 'Nobody named'} could say.", "- ")
    lines += bullets(f"Late feed. {late}" for late in say_silence(screening["late_feeds"]))
    return lines if len(lines) > 3 else [*lines, "Every rule in force could tell."]


def _factors(screening: Plain) -> list[str]:
    lines = heading("Location factors of the 2012 Order")
    for factor in screening["factors"]:
        lines += wrap(f"{factor['title']} ({factor['source']}): {CHECKED[factor['status']]}. {factor['because']}", "- ")
        lines += wrap("; ".join(factor["facts"]), "  ") if factor["status"] == "checked" else []
    return lines


def _matches(matches: Sequence[Plain]) -> list[str]:
    lines = heading("Other homes for this applicant")
    if not matches:
        return [*lines, *wrap("No home of this size that is empty, or soon will be, is without something that must "
                              "be settled first. `wardwise screen` with another home says what.")]
    rows = [[m["uprn"], m["name"], "" if m["beds"] is None else m["beds"], m["ready_from"] or "not known",
             RESULTS[m["result"]], m["soft"], m["cannot_tell"]] for m in matches]
    return [*lines, *wrap("As many bedrooms, nothing that must be settled first; fewest conflicts first."), "",
            *table(["UPRN", "address", "beds", "ready from", "first", "soft", "not checked"], rows, (2, 5, 6))]


def _about(screening: Plain, id: str) -> list[str]:
    made = ", ".join(f"{name} {digest[:DIGEST_LENGTH]}" for name, digest in sorted(screening["digests"].items()))
    return [*heading("What this does not do"), *wrap(screening["does_not"]),
            *heading("How to contest it"), *wrap(screening["contest"]),
            *heading("Made from"), *wrap(f"{made}. `wardwise replay {id}` makes it again and compares.")]
