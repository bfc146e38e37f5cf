"""A stored flag, or the lists of a run, as plain text an officer can read aloud: 100 columns, no colour.

Everything said here stands in the stored values; nothing is worked out, looked up or added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.layout import bullets, heading, table, wrap
from api.words import (
    AXES,
    BANDS,
    CHANGES,
    DIGEST_LENGTH,
    FLOORS,
    ROLES,
    STATES,
    STATUSES,
    STEPS,
    THRESHOLDS,
    say_agencies,
    say_axis,
    say_capped,
    say_day,
    say_points,
    say_result,
    say_seen,
    say_silence,
    say_standing,
    say_where,
)

Plain = Mapping[str, Any]
_STATE_WIDTH = max(len(word) for word in STATES.values()) + 2


def write_flag(flag: Plain, aside: Plain | None = None) -> str:
    """One flag, complete. `aside` (see `listing.find_aside`) is for analysts: an officer is never shown "almost"."""
    lines = [f"{say_where(flag)}  |  {say_standing(flag).upper()}  |  {CHANGES[flag['change']]}",
             f"One of the {flag['list']} put forward as of {say_day(flag['as_of'])}"]
    if flag["status"] != "shown":
        lines += ["", *wrap(f"NOT ON THE OPEN LIST: {STATUSES[flag['status']]}.")]
    lines += ["", *wrap(flag["paragraph"])]
    for part in (_axes, _reasons, _cards, _against, _unknown, _records, _next, _about):
        lines += part(flag)
    if aside is not None:
        lines += heading("For analysts: one fact away from firing (never shown to officers)")
        lines += bullets(list(aside["near_misses"])) or ["None."]
        lines += heading("For analysts: score cards on trial (never shown to officers)")
        lines += [line for card in aside["on_trial"] for line in write_account(card)] or ["None."]
    return "\n".join(lines) + "\n"


def write_lists(listing: Plain, most: int | None = None) -> str:
    """The lists of a run with their reasons. `most`: show only the first so many of each."""
    area = f", {listing['area']}" if listing["area"] else ""
    lines = [f"As of {say_day(listing['as_of'])}{area} (run {listing['run']})"]
    for one in listing["lists"]:
        lines += _list(one, most)
    if listing["late_feeds"]:
        lines += heading("Feeds that are late: what they do not say is not known, and is not “no”")
        lines += bullets(say_silence(listing["late_feeds"]))
    if listing["expired_rules"]:
        lines += heading("Rules past their review date, and not used")
        lines += bullets(listing["expired_rules"])
    lines += ["", *wrap("A person decides. Points on different axes are never added to each other. "
                        "`wardwise explain SUBJECT` shows everything behind one line.")]
    return "\n".join(lines) + "\n"


# --- the parts of a flag --------------------------------------------------------------------------


def _axes(flag: Plain) -> list[str]:
    titles = {reason["rule"]: reason["title"] for reason in flag["reasons"]}
    if flag["list"] == "allocations":
        return [*heading("Where it stands"), "An offer is never ranked by points; every result below is listed."]
    lines = heading("Where it stands (one axis at a time; axes are never added to each other)")
    for axis in flag["axes"]:
        lines.append(say_axis(axis))
        for part in axis["parts"]:
            faded = "" if part["faded"] == part["points"] else f" of {part['points']:g}, faded with age"
            lines += wrap(f"{say_points(part['faded'])}{faded}: {titles.get(part['rule'], part['rule'])}", "    ")
        if capped := say_capped(axis):
            lines += wrap(capped, "    ")
        if axis["reduced"]:
            lines += wrap(f"{axis['before']:g} less {axis['reduced']:.0%} for what speaks for them", "    ")
        if axis["floor"]:
            lines += wrap(f"lifted to at least {FLOORS[axis['floor']]} by a floor", "    ")
        if axis["card"]:
            lines += wrap(f"a score card says {BANDS[axis['card']].lower()}; the higher of the two holds", "    ")
    return lines


def _reasons(flag: Plain) -> list[str]:
    lines = heading("Why")
    for number, reason in enumerate(flag["reasons"], 1):
        lines += [""] if number > 1 else []
        lines += wrap(f"{reason['title']} ({reason['reference']})", f"{number}. ")
        lines += wrap(reason["because"], "   ")
        if result := say_result(reason):
            lines += wrap(f"{result}. It serves: {reason['factor']}" if reason["factor"] else result, "   ")
        lines += wrap(reason["why"], "   ")
        lines += ["   What was looked at:", *write_tree(reason["tree"], 2)]
        lines += wrap("Enough on its own: " + "; ".join(reason["enough"]) + ".", "   ")
        floor = "" if reason["floor"] == "none" else f" Floor: {FLOORS[reason['floor']]}."
        lines += wrap(f"{AXES[reason['axis']]}.{floor} Authority: {reason['authority']}; "
                      f"{THRESHOLDS[reason['threshold']]}. Answers for it: {reason['owner']}, "
                      f"until {say_day(reason['review_by'])}. Rule {reason['rule']}.", "   ")
    return lines


def write_tree(node: Plain, depth: int) -> Iterator[str]:
    """A tree of clauses, each with its state and what was seen, further in the deeper it lies."""
    pad = "  " * depth
    state = f"[{STATES[node['state']]}]".ljust(_STATE_WIDTH + 1)
    yield from wrap(node["text"], f"   {state}{pad[4:]}")
    if seen := say_seen(node):
        yield from wrap(seen, " " * (_STATE_WIDTH + 6) + pad[4:])
    for child in node["steps"]:
        yield from write_tree(child, depth + 1)


def _cards(flag: Plain) -> list[str]:
    lines = heading("What score cards say (points an officer can add up)") if flag["cards"] else []
    return lines + [line for card in flag["cards"] for line in write_account(card)]


def write_account(card: Plain) -> list[str]:
    """What one score card says: its answer, points that add up, what raised and lowered them, what would change it."""
    axis = f" on {AXES[card['axis']].lower()}" if card["axis"] else ""
    trial = "" if card["status"] == "live" else f"; {card['status']}, it lifts no band"
    lines = wrap(f"{card['card']}{axis}{trial}. {card['said']}")
    if card["parts"]:
        rows = [[part["title"], part["value"], f"{part['points']:+d}", f"{part['typical']:+.1f}",
                 len(part["records"]) or ""] for part in card["parts"]]
        rows.append(["Together", "", f"{card['score']:+d}", "", ""])
        lines += ["", *table(["factor", "here", "points", "average case", "records"], rows, range(2, 5))]
    for title, said in (("What raises it:", card["raises"]), ("What lowers it:", card["lowers"])):
        lines += [title, *bullets(said, "  ")] if said else []
    return [*lines, *(line for said in (card["change"], card["lapse"]) if said for line in wrap(said)), ""]


def _against(flag: Plain) -> list[str]:
    return heading("What speaks against it, or for caution") + (
        bullets(flag["against"]) or ["Nothing on record. Ask the people concerned."])


def _unknown(flag: Plain) -> list[str]:
    lines = heading("What was not known, and who could say")
    for question in flag["questions"]:
        facts = "; ".join(question["facts"]) or "what another rule waits for"
        agencies = f" {', '.join(question['agencies'])} could say." if question["agencies"] else ""
        waits = f" It waits for: {', '.join(question['waits_for'])}." if question["waits_for"] else ""
        lines += wrap(f"{facts}.{agencies}{waits} It would settle: {question['title']}.", "- ")
    lines += bullets(f"Late feed. {late}" for late in say_silence(flag["late_feeds"]))
    return lines if len(lines) > 3 else [*lines, "Nothing that a rule in force asks for."]


def _records(flag: Plain) -> list[str]:
    lines = heading("Facts that were read, and the records behind them")
    for fact in flag["facts"]:
        window = f" in {fact['window']} days" if fact["window"] else ""
        notes = [f"{len(fact['records'])} record{'' if len(fact['records']) == 1 else 's'}"] if fact["records"] else []
        notes += ["disputed"] if fact["disputed"] else []
        notes += ["you can change this"] if fact["changeable"] else []
        lines += wrap(f"{fact['title']}{window}: {fact['value']}. {', '.join(fact['agencies'])}"
                      + (f" ({', '.join(notes)})" if notes else ""), "- ")
    if not flag["records"]:
        return [*lines, "No record is named: what was read is a state, or is held back."]
    rows = [[r["record"], r["what"] or "", ROLES.get(r["role"], r["role"] or ""),
             "" if r["evidence"] is None else f"{r['evidence']} of 4", r["occurred"] or "not known", r["known"]]
            for r in flag["records"]]
    return [*lines, "", *table(["record", "what", "part played", "evidence", "happened", "known"], rows),
            "The content of a record stays with the agency that holds it."]


def _next(flag: Plain) -> list[str]:
    lines = heading("When it lapses") + wrap(flag["lapse"])
    lines += heading("Who to bring together") + wrap(say_agencies(flag["convene"]) or "Nobody is named.")
    lines += heading("What they might do, in this order")
    for step, title in STEPS.items():
        said = [r["text"] for r in flag["respond"] if r["step"] == step]
        lines += [title + ":", *bullets(said, "  ")] if said else []
    return lines if flag["respond"] else [*lines, "Nothing is suggested."]


def _about(flag: Plain) -> list[str]:
    lines = heading("Where it goes") if flag["routing"] else []
    lines += bullets(flag["routing"])
    lines += heading("How to contest it") + wrap(flag["contest"])
    lines += heading("What this flag does not do") + wrap(flag["does_not"])
    lines += heading("Made from")
    made = ", ".join(f"{name} {digest[:DIGEST_LENGTH]}" for name, digest in sorted(flag["digests"].items()))
    return [*lines, *wrap(f"{made}. `wardwise replay {flag['id']}` makes it again and compares.")]


# --- the parts of a list --------------------------------------------------------------------------


def _list(one: Plain, most: int | None) -> list[str]:
    shown = one["shown"]
    lines = heading(f"{one['list'].capitalize()}: {len(shown)} shown of {one['put_forward']:,} put forward; "
                    f"{one['judged']:,} judged", "=")
    lines += wrap(one["empty"]) if one["empty"] else []
    for rank, card in enumerate(shown[:most], 1):
        lines += _card(rank, card)
    if most is not None and len(shown) > most:
        lines += ["", f"    ... and {len(shown) - most} more: `wardwise list {one['list']}`"]
    if one["not_shown"]:
        lines += ["", "Not shown:"]
    for group in one["not_shown"]:
        lines += wrap(f"{group['count']:,} {group['why']}", "- ")
        if group["subjects"]:
            lines += wrap("; ".join(f"{say_where(e)}, {BANDS[e['band']].lower()}" for e in group["subjects"]), "    ")
    return lines + _leavers(one)


def _card(rank: int, card: Plain) -> list[str]:
    lines = ["", f"{rank:>2}. {say_where(card)}  |  {say_standing(card).upper()}  |  {CHANGES[card['change']]}"]
    lines += [line for axis in card["axes"] if axis["points"] for line in wrap(say_axis(axis), "    ")]
    for reason in card["reasons"]:
        result = say_result(reason)
        lines += wrap(f"{result}: {reason['because']}" if result else reason["because"], "    - ")
    for one in card["cards"]:
        lines += wrap(f"On the score card {one['card']}: {one['said']}", "    - ")
    lines += [line for said in card["against"] for line in wrap(f"Against: {said}", "    ")]
    lines += [line for said in card["routing"] for line in wrap(f"Route: {said}", "    ")]
    newest = f" Newest evidence {say_day(card['latest_evidence'])}." if card["latest_evidence"] else ""
    return lines + wrap(f"Bring together: {', '.join(card['convene']) or 'nobody named'}.{newest}", "    ")


def _leavers(one: Plain) -> list[str]:
    if not one["left"] and not one["left_unseen"]:
        return []
    lines = ["", "Left since the last run:"]
    lines += bullets(f"{say_where(left)}: {left['because']}" for left in one["left"])
    if one["left_unseen"]:
        lines.append(f"- {one['left_unseen']:,} that had not been shown")
    return lines
