"""Receipts, feeds, refusals, runs and checks -> tables of plain text, each with where to look next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from api.layout import bullets, heading, table, wrap
from api.listing import NAMES
from api.words import DIGEST_LENGTH, say_day
from engine.contract import Column, Contract
from engine.events import Override
from engine.history import Freshness
from engine.ledger import Receipt
from engine.pack import Pack
from engine.prose import name_agency

_MOST_ROWS = 20
"""Rows named of one fault; more is work for a spreadsheet."""

_LOOKS_LIKE = {
    "text": "text", "date": "23/11/2026", "datetime": "23/11/2026 21:30", "month": "2026-11", "integer": "3",
    "decimal": "12.50", "boolean": "Yes", "uprn": "100012345678", "usrn": "21600001", "postcode": "AB1 2CD",
    "lsoa": "E01011229", "ward": "E05011229", "easting": "430000", "northing": "433000", "longitude": "-1.55",
    "latitude": "53.80",
}


def write_receipts(receipts: Sequence[Receipt]) -> str:
    """What became of every row of every file."""
    if not receipts:
        return ""
    rows = [[r.file, r.feed, r.rows_in, r.new, r.revised, r.unchanged, r.repeated, r.refused] for r in receipts]
    lines = ["rows in = new + revised + unchanged + repeated + refused", ""]
    lines += table(["file", "feed", "rows in", "new", "revised", "unchanged", "repeated", "refused"], rows, range(2, 8))
    said = [note for receipt in receipts for note in _notes(receipt)]
    lines += ["", *bullets(said)] if said else []
    lines += ["", "Next:"]
    if any(r.refused for r in receipts):
        lines += ["  wardwise quarantine          what was refused, and how to mend it"]
    lines += ["  wardwise feeds               which feeds are up to date",
              "  wardwise run --as-of DATE    make the lists"]
    return "\n".join(lines)


def write_feeds(freshness: Sequence[Freshness], counts: pd.DataFrame, as_of: date) -> str:
    """Every feed: when it last spoke, whether its silence means anything, and its rows."""
    by_feed = {row["feed"]: row for row in counts.to_dict("records")}
    rows = []
    for feed in freshness:
        counted = by_feed[feed.feed]
        rows.append([feed.feed, f"{feed.title} ({name_agency(feed.agency)})", feed.last_spoke or "never",
                     _say_state(feed), feed.records, int(counted["rows_in"]), int(counted["used"]),
                     int(counted["quarantined"])])
    late = sum(1 for feed in freshness if not feed.fresh)
    lines = wrap(f"As of {say_day(as_of)}: {len(freshness) - late} of {len(freshness)} feeds are up to date. What a "
                 "late feed does not say is not known, and rules that need it cannot tell.")
    lines += ["", *table(["feed", "what it is", "last spoke", "state", "records", "rows in", "used", "refused"],
                         rows, range(4, 8))]
    return "\n".join([*lines, "", "`wardwise feeds --feed NAME` shows what a file of one feed should look like."])


def write_feed(contract: Contract) -> str:
    """One feed: why it may be held, what its file looks like, and every column with the headers understood."""
    told = "by " + ", ".join(contract.identity) if contract.identity else "by all they say, for want of a key"
    spoken = f"at least every {contract.fresh_within} days" if contract.fresh_within else "now and then; never stale"
    lines = [f"{contract.title} ({contract.feed})", ""]
    lines += bullets([
        f"From {name_agency(contract.agency)}, held under {contract.gateway}, for {contract.retain_days:,} days",
        f"Speaks {spoken}", f"Rows are told apart {told}",
        f"Known from {', else '.join(contract.dated_by) or f'the end of {contract.known_month}'}",
        f"Refused whole when more than {contract.refuse_above:.0%} of its rows are refused",
        "CSV, XLSX, Parquet, or a zip or gzip of CSV; the header may stand within the first ten rows; columns in any "
        "order; others are named in the receipt and not read"])
    needed = [column for column in contract.columns.values() if column.required]
    lines += heading("The least a file must hold")
    lines += ["  " + ",".join(_header(column) for column in needed), "  " + ",".join(map(_example, needed))]
    lines += heading("Columns (* must be filled in every row)")
    rows = [[f"{c.name}{'*' if c.required else ''}", _say_type(c), ", ".join(c.synonyms) or "-"]
            for c in contract.columns.values()]
    return "\n".join([*lines, *table(["column", "holds", "also understood as"], rows)])


def write_quarantine(refused: pd.DataFrame, values: bool) -> str:
    """The refusals still open. What was found may be personal, so it is shown only when asked for."""
    if refused.empty:
        return "Nothing is in quarantine: every row that came in was used, or has since been corrected."
    by_feed = refused.groupby("feed").size()
    are = "fault is" if len(refused) == 1 else "faults are"
    lines = wrap(f"{len(refused):,} {are} open: " + ", ".join(f"{feed} {n:,}" for feed, n in by_feed.items()) + ".")
    for key, group in refused.groupby(["feed", "file", "column", "allowed", "fix"], sort=False):
        feed, file, column, allowed, fix = map(str, key)
        lines += ["", f"{file}{f', column {column}' if column else ''} ({feed})"]
        lines += wrap(f"{'rows' if len(group) > 1 else 'row'} {_say_rows(group, values)}", "  ")
        lines += wrap(f"allowed: {allowed}", "  ") + wrap(f"to mend: {fix}", "  ")
    return "\n".join([*lines, "", *wrap("Correct the rows at their source and send the file again: a refusal closes "
                                        "when its record is accepted." + (
        "" if values else " What was found may be personal; `--show-values` shows it."))])


def write_run(name: str, manifest: Mapping[str, Any], lists: Mapping[str, Any], seconds: float | None = None) -> str:
    """What one run judged and shows, and what it could not use."""
    entries = lists["entries"]
    lines = [f"Run {name}, as of {say_day(manifest['as_of'])}"
             + (f", {manifest['area']}" if manifest["area"] else "")
             + (f", made in {seconds:.0f} seconds" if seconds is not None else ""), ""]
    lines += table(["list", "judged", "put forward", "shown"], [
        [one, count, sum(e["list"] == one for e in entries),
         sum(e["list"] == one and e["status"] == "shown" for e in entries)]
        for one, count in _judged(manifest)], range(1, 4))
    people, gaps = manifest["people"], manifest["partial_months"]
    late = [f["title"] for f in manifest["freshness"] if not f["fresh"] and f["last_spoke"]]
    never = sum(1 for f in manifest["freshness"] if not f["last_spoke"])
    lines += ["", *bullets([
        f"{people['sightings']:,} names in records are {people['linked']:,} people; "
        f"{people['to_review']:,} pairs are for a person to compare",
        f"Late feeds: {', '.join(late) or 'none'}",
        *([f"Feeds that have never sent anything: {never} of {len(manifest['freshness'])}"] if never else []),
        f"Months only partly there: {_say_gaps(gaps)}",
        f"Rules past their review date, not used: {', '.join(manifest['expired_rules']) or 'none'}"])]
    return "\n".join([*lines, "", "Next:", "  wardwise list                  the lists with their reasons",
                      "  wardwise explain SUBJECT       everything behind one line"])


def write_runs(runs: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]], latest: str | None) -> str:
    """Every finished run, oldest first."""
    if not runs:
        return "No run has been made here yet. `wardwise run --as-of DATE` makes one."
    rows = [[f"{name}{' *' if name == latest else ''}", manifest["area"] or "all",
             *(count for _, count in _judged(manifest)), sum(e["status"] == "shown" for e in lists["entries"]),
             manifest["digests"]["pack"][:DIGEST_LENGTH]] for name, manifest, lists in runs]
    lists_of = [f"{one} judged" for one in NAMES]
    return "\n".join([*table(["run", "area", *lists_of, "shown", "rules"], rows, range(2, 6)), "* the latest"])


def write_check(pack: Pack, cases: int, as_of: date) -> str:
    """How much was checked, when nothing is wrong."""
    status = [rule.status for rule in pack.rules.values()]
    return "\n".join([
        f"Everything holds together as of {say_day(as_of)}.", "",
        *bullets([f"{len(status)} rules: {status.count('live')} live, {status.count('trial')} on trial, "
                  f"{status.count('retired')} retired",
                  f"{len(pack.features)} features on {len(pack.contracts)} feeds",
                  f"{cases} cases, each as it should come out", f"pack {pack.digest[:DIGEST_LENGTH]}"])])


def write_person(person: str, run: str, history: pd.DataFrame, links: pd.DataFrame, events: Sequence[Mapping[str, Any]]
                 ) -> str:
    """Why a person has this id: the identities agencies keep that were found to be one, and since when."""
    lines = wrap(f"{person} in run {run}: the identities below were found to be one person. A digest stands for a name "
                 "and date of birth where an agency gave no reference of its own.")
    rows = [[_say_node(row["node"]), row["person"], row["since"], row["until"] or "now"]
            for row in history.to_dict("records")]
    lines += ["", *table(["identity", "was", "since", "until"], rows)]
    mine = links[links["person"] == person].groupby(["confidence", "why"]).size().reset_index(name="n")
    lines += heading("Why each sighting is theirs")
    lines += bullets(f"{row['n']}: {row['why']} ({row['confidence']})" for row in mine.to_dict("records"))
    lines += [] if len(mine) else ["Nobody is linked to this id now."]
    if events:
        lines += heading("What changed in this run")
        lines += bullets(_say_event(event) for event in events)
    return "\n".join(lines)


# --- inside ---------------------------------------------------------------------------------------


def _notes(receipt: Receipt) -> list[str]:
    said = [f"{receipt.file}: {note}" for note in receipt.notes]
    if receipt.already_known:
        said.append(f"{receipt.file}: the same file was taken in before; nothing changed")
    if receipt.refused_whole:
        said.append(f"{receipt.file}: refused whole, none of its rows is used")
    if receipt.withdrawn:
        said.append(f"{receipt.file}: leaves out {receipt.withdrawn:,} rows of an earlier file, which are gone now")
    if receipt.unknown_columns:
        said.append(f"{receipt.file}: columns nobody declared, not read: {', '.join(receipt.unknown_columns)}")
    return said


def _say_rows(group: pd.DataFrame, values: bool) -> str:
    """The rows of one fault; each with what was found where that was asked for."""
    named = group.head(_MOST_ROWS)
    said = [f"{row} (found: {found})" if values else str(row)
            for row, found in zip(named["row"], named["found"], strict=True)]
    more = len(group) - len(named)
    return ", ".join(said) + (f" and {more:,} more: `wardwise quarantine --csv FILE` names them all" if more else "")


def write_overrides(overrides: Sequence[Override]) -> str:
    """Every hard conflict set aside: what, on which screening, by whom, why, and what was put in place."""
    if not overrides:
        return "No hard conflict has been set aside."
    lines = [f"{len(overrides)} hard conflict{'s' if len(overrides) > 1 else ''} set aside"]
    for one in overrides:
        lines += ["", *wrap(f"{one.screening}: {one.title} ({one.rule}), by {one.by} on {one.at[:10]}")]
        lines += wrap(f"Why: {one.reason}", "    ")
        lines += wrap(f"Put in place: {one.mitigation}", "    ")
    return "\n".join(lines)


def _say_state(feed: Freshness) -> str:
    if feed.last_spoke is None:
        return "NEVER"
    return "fresh" if feed.fresh else "LATE"


def _judged(manifest: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(name, manifest["judged"][name]) for name in NAMES]


def _say_gaps(gaps: Sequence[Mapping[str, Any]]) -> str:
    """Each feed's months; of feeds that are counted by area only how many."""
    feeds = dict.fromkeys(gap["feed"] for gap in gaps)
    said = []
    for feed in feeds:
        months = sorted({gap["month"][:7] for gap in gaps if gap["feed"] == feed})
        said.append(f"{feed} {', '.join(months[:3])}" + (f" and {len(months) - 3} more" if len(months) > 3 else ""))
    return "; ".join(said) or "none"


def _header(column: Column) -> str:
    return column.synonyms[0] if column.synonyms else column.name


def _example(column: Column) -> str:
    if column.values:
        code, words = column.values[0]
        return words[0] if words else code
    return _LOOKS_LIKE[column.type]


def _say_type(column: Column) -> str:
    if column.values:
        return "one of " + ", ".join(f"{code} ({words[0]})" if words else code for code, words in column.values)
    parts = [column.type]
    parts += [f"from {column.min:g}"] if column.min is not None else []
    parts += [f"to {column.max:g}"] if column.max is not None else []
    parts += [f"above {column.above:g}"] if column.above is not None else []
    return " ".join(parts)


def _say_node(node: str) -> str:
    owner, _, digest = node.partition("#")
    return f"{owner} (digest {digest[:DIGEST_LENGTH]})" if digest else owner


def _say_event(event: Mapping[str, Any]) -> str:
    other = f" with {event['other']}" if str(event["other"]).startswith("P") else ""
    return f"{event['person']}: {event['kind']}{other}: {event['why']}"
