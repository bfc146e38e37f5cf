"""What was timed -> docs/bench.md: a section for the week and one for screenings, each written when it is timed."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

WEEK, SCREENING, SITE = "A week", "A screening", "A page of the site"
_TITLE = "# How long things take"
_AIM_MS = 25
_TIMES = 3          # HTTP within so many times an empty path, and the screening itself

Found = Mapping[str, Any]


def put(page: Path, title: str, body: str) -> None:
    """Writes one section of docs/bench.md; the others stay as they are."""
    put_section(page, title, body, _TITLE, (WEEK, SCREENING, SITE))


def put_section(page: Path, title: str, body: str, top: str, order: Sequence[str]) -> None:
    """Writes one section of a page that begins with `top`; the others stay as they are, in this order."""
    text = page.read_text(encoding="utf-8") if page.exists() else top
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    sections[title] = body
    ordered = [name for name in order if name in sections]
    page.write_text("\n\n".join([top, *(f"## {name}\n\n{sections[name].strip()}" for name in ordered)]) + "\n",
                    encoding="utf-8")


def write_weekly(results: Mapping[int, Found], load: float) -> str:
    """The week at each size beside the query by hand."""
    rows = []
    for size, steps in results.items():
        run, query = steps["run"], steps["by hand"]["query"]
        rows.append([f"{size:,}", f"{steps['invent']['wall']:.1f} s", f"{steps['take in']['wall']:.1f} s",
                     f"{steps['take in']['rows']:,}", f"{run['wall']:.1f} s", f"{run['peak_mb']:,.0f} MB",
                     f"{run['judged']:,}", f"{run['flags']}", f"{query:.2f} s", f"{run['wall'] / query:.0f}"])
    lines = [say_machine(load) + " Wall seconds include starting Python.", "",
             *_table(["residents", "invent", "take in", "rows in", "weekly run", "peak memory of the run", "judged",
                      "explained flags", "one query by hand", "run / query"], rows)]
    if len(results) == 2:
        small, large = results
        ratio = results[large]["run"]["wall"] / results[small]["run"]["wall"]
        lines += ["", f"{large / small:.0f} times the residents take {ratio:.1f} times as long."]
    return "\n".join([*lines, "", "The query by hand computes ten of the same features and ten of the rules straight "
                      "from the kept records, for people only: it links nobody, knows no unknowns, and explains "
                      "nothing. The run links, measures every feature of every person, place and allocation, judges "
                      "every rule, works the flagged out again by hand and writes everything down."])


def write_screening(found: Found, load: float) -> str:
    """Desks, screenings in process, over HTTP, through other engines, and what the week pays for them."""
    size, desks = found["size"], found["desks"]
    lines = [say_machine(load), "", *_write_desks(desks), "", *_write_in_process(desks), "",
             *_write_service(size, found["serve"], desks[size]["screen"]), "",
             *_write_engines(size, found["engines"]), "", *_write_week_share(size, found)]
    return "\n".join(lines)


def write_site(found: Mapping[int, Found], load: float) -> str:
    """Pages at each number of flags, for one reader and for fifty, beside an empty page."""
    rows = []
    for size, pages in found.items():
        for key, one in ((key, one) for key, one in pages.items() if isinstance(one, dict)):
            name, _, readers = key.rpartition(" ")
            rows.append([f"{size:,}", readers, name, f"{one['n']:,}", f"{one['rate']:,.0f}", *_ms(one),
                         f"{one['p50'] / pages[f'an empty page {readers}']['p50']:.0f}"])
    return "\n".join([
        say_machine(load), "",
        *_table(["flags stored", "readers", "what", "requests", "a second", "p50", "p99", "longest", "p50 / empty"],
                rows, words=2), "",
        "All flags are of one week, half of them people; each holds twelve records and a card. One site process with "
        "SQLite; the readers are signed in as an analyst, in one client process on the same machine, each asking for "
        "one page after another. A list shows 25 flags of its list and counts all of them; a flag is drawn from the "
        "first fifty, and that somebody opened it is written down the first time. The empty page is FastAPI and "
        "uvicorn alone."])


def write_table(head: Sequence[str], rows: Sequence[Sequence[str]], words: Collection[int] = ()) -> list[str]:
    """A table whose figures stand right and whose columns `words` stand left."""
    line = "|" + "|".join(":---" if n in words else "---:" for n in range(len(head))) + "|"
    return [f"| {' | '.join(head)} |", line, *(f"| {' | '.join(row)} |" for row in rows)]


def say_machine(load: float, by: str = "make bench") -> str:
    """What wrote a section, and on what kind of machine."""
    return (f"Written by `{by}` on {platform.machine()}, {os.cpu_count() or 1} cores, "
            f"Python {platform.python_version()}; load before it began {load:.1f}.")


# --- inside -------------------------------------------------------------------------------------


def _write_desks(desks: Mapping[int, Found]) -> list[str]:
    rows = []
    for size, steps in desks.items():
        desk = steps["screen"]
        rows.append([f"{size:,}", f"{desk['live']:,}", f"{desk['available']:,}",
                     f"{steps['prepare a desk']['seconds']:.1f} s", f"{desk['open']:.2f} s",
                     f"{desk['disk_mb']:.1f} MB", f"{desk['memory_mb']:,.0f} MB", f"{desk['memory_after_mb']:,.0f} MB"])
    return ["### The desk", "", *_table(
        ["residents", "live applications", "available homes", "prepared anew", "opened", "on disk", "memory once open",
         "memory at the end"], rows), "",
        "Prepared anew: no run of that day, so everything recorded is read and linked, kept as a folder and opened. "
        "Opened: that a run or an earlier screening left the folder. Memory is the whole process's; at the end, after "
        "all that the next table counts."]


def _write_in_process(desks: Mapping[int, Found]) -> list[str]:
    named = {
        "cold": "a pair, neither the applicant nor the home seen before", "warm": "the same pair again",
        "threads": "the same from 8 threads at once", "matches": "a pair with its other homes",
        "shortlist": "a home's shortlist", "text": "a screening written as text", "keep": "keeping a screening",
        "fsync": "one file of that length made to last"}
    rows = [[f"{size:,}", title, f"{one['n']:,}", *_ms(one), f"{one['rate']:,.0f}"]
            for size, steps in desks.items() for key, title in named.items() for one in [steps["screen"][key]]]
    largest = desks[max(desks)]["screen"]
    cold = largest["cold"]["p99"]
    return ["### In process", "", *_table(
        ["residents", "what", "times", "p50", "p99", "longest", "a second"], rows, words=1), "",
        "Random pairs of a live application and an available home. A screening measures both, judges every rule, has "
        "durable-rules agree, chooses the questions and says all of it. Keeping writes the screening and a line of the "
        "log, each seen onto the disk.", "",
        f"Aim: p99 under {_AIM_MS} ms. {_say_aim(cold, _AIM_MS)} (cold, {max(desks):,} residents). The longest pause "
        f"in which Python collected what was no longer used took {largest['collecting_ms']:.0f} ms."]


def _write_service(size: int, found: Found, desk: Found) -> list[str]:
    named = {"empty": "an empty path", "checked": "an empty path that checks the same request",
             "screenings": "a screening, kept"}
    rows = [[str(clients), title, f"{one['n']:,}", f"{one['rate']:,.0f}", *_ms(one),
             f"{one['p50'] / found[f'empty {clients}']['p50']:.1f}"]
            for clients in (1, 8) for path, title in named.items() for one in [found[f"{path} {clients}"]]]
    said = []
    for clients, inside in ((1, desk["warm"]), (8, desk["threads"])):
        ours, empty = found[f"screenings {clients}"], found[f"empty {clients}"]
        for which in ("p50", "p99"):
            allowed = _TIMES * empty[which] + inside[which]
            said.append(f"- {clients} client{'s' if clients > 1 else ''}, {which}: {_TIMES} × {empty[which]:.1f} + "
                        f"{inside[which]:.1f} = {allowed:.1f} ms. {_say_aim(ours[which], allowed)}.")
    return ["### Over HTTP", "", *_table(
        ["clients", "what", "requests", "a second", "p50", "p99", "longest", "p50 / empty"], rows, words=1),
        "", f"{size:,} residents. One service process; each client another process, with one connection and one "
        "request at a time, on the same machine. The empty paths are served by FastAPI and uvicorn with the same "
        "settings, and all take turns, three times over. Every screening answers "
        f"{found['screenings 1']['bytes'] / 1e3:.0f} kB and is kept before it is answered; keeping alone takes "
        f"{desk['keep']['p50']:.1f} ms (p50), {desk['keep']['p99']:.1f} ms (p99).", "",
        f"Aim: within {_TIMES} times the empty path and the screening in process (for 8 clients: from 8 threads). "
        "Keeping is not allowed for: it sees three writes onto the disk and goes one at a time, so that nobody can "
        f"have more than {1e3 / desk['keep']['p50']:,.0f} a second here.", "", *said]


def _write_engines(size: int, found: Found) -> list[str]:
    base = found["engines"]["the evaluator"]["p50"]
    rows = [[name, f"{one['rate']:,.0f}", f"{1e3 * one['p50']:,.0f} µs", f"{1e3 * one['p99']:,.0f} µs",
             f"{one['p50'] / base:.1f}"] for name, one in found["engines"].items()]
    real, filled = found["measured"], found["filled"]
    return [
        "### The same rules, one case at a time", "",
        *_table(["through", "cases a second", "p50 a case", "p99 a case", "p50 / evaluator"], rows, words=0),
        "", f"{found['cases']:,} cases of the {found['rules']} allocation rules at {size:,} residents, in turn. Before "
        f"anything was timed all agreed on every case as measured ({real['outcomes']:,} outcomes: {real['true']:,} "
        f"true, {real['unknown']:,} unknown), and on the same cases with every unknown fact made up "
        f"({filled['true']:,} true, {filled['unknown']:,} unknown). Handing a case over counts; measuring it does not.",
        "",
        "- The evaluator gives true, false or unknown with every step that led there. It is the only one here that "
        "says why.",
        "- durable-rules gives what surely fires and the records it fired on, and asks itself after every case whether "
        "anything went wrong.",
        "- zen-engine has no unknown. Comparing a missing fact ends its whole decision with an error, `null == 3` is "
        "false and `null != 3` true. So every clause asks first whether its fact is there, and what comes back is what "
        "surely fires; false is no and not known alike, unless every rule is written a second time as what surely does "
        "not. Where every fact is known it says all that the evaluator's outcome says. It does not say which record "
        "met an `exists` block. A rule that reads another rule's outcome would need a second node; no allocation rule "
        "does.",
        "- DuckDB gives true, false or unknown from the very expressions of the weekly run. Whether a related record "
        "meets an `exists` block is given to it as a fact and not counted. Writing the SQL and planning it once took "
        f"{found['planned_s']:.2f} s, counted in neither row; a prepared query takes its values as text only."]


def _write_week_share(size: int, found: Found) -> list[str]:
    whole, without = (min(run["inside"] for run in found[key]) for key in ("with_offers", "without_offers"))
    last = found["with_offers"][-1]
    named = {"draw_up_shortlists": "drawing the shortlists up", "place_pairs": "finding the pairs' homes",
             "take_snapshot": "taking the snapshot", "save_desk": "writing the desk",
             "screen_shortlists": "adding the shortlists up"}
    known = sum(last["parts"].get(key, 0.0) for key in named)
    rows = [["the weekly run", f"{whole:.1f} s", "100%"],
            ["the same with open proposals alone", f"{without:.1f} s", f"{without / whole:.0%}"],
            ["**shortlists and desk**", f"**{whole - without:.1f} s**", f"**{(whole - without) / whole:.0%}**"],
            *[[title, f"{last['parts'].get(key, 0.0):.2f} s", f"{last['parts'].get(key, 0.0) / whole:.0%}"]
              for key, title in named.items()]]
    spread = ", ".join(f"{a['inside']:.1f} and {b['inside']:.1f} s" for a, b in zip(
        found["with_offers"], found["without_offers"], strict=True))
    return ["### What a weekly run pays for it", "", *_table(["what", "seconds", "share"], rows, words=0), "",
            f"{size:,} residents; the quicker of two runs each, in turn (with and without: {spread}). "
            f"{last['pairs']:,} pairs are screened, {last['open']:,} of them open proposals, for {last['homes']:,} "
            f"homes. The parts that can be timed by themselves, from the last run, come to {known:.1f} s; what is left "
            "is measuring and judging more pairs."]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int | None = None) -> list[str]:
    return write_table(head, rows, () if words is None else (words,))


def _ms(one: Found) -> list[str]:
    return [f"{one[key]:.1f} ms" for key in ("p50", "p99", "max")]


def _say_aim(found: float, allowed: float) -> str:
    if found <= allowed:
        return f"Met: {found:.1f} ms"
    return f"Missed: {found:.1f} ms, {found - allowed:.1f} ms too long"
