"""A finished run -> flags before people: stored once, with the state of what is still under way handed on.

An earlier flag of the same subject that nobody has decided hands its state and lead on to the new one and becomes
`superseded`; a decided one stays what it is, and the new one starts `proposed`. A subject that is no longer put forward
has its open flag closed as `left`, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, insert, select, update

from engine.errors import Problem
from engine.rule import AXES
from engine.runs import Runs
from engine.store.chain import Note
from engine.store.database import Writing
from engine.store.flags import Publication, digest_flags, digest_text
from engine.store.problems import StoreError
from engine.store.tables import OPEN_STATES, flags, labels, publications
from engine.store.tables import texts as stored_texts

UNSAID = "no longer put forward"
PRIVATE = ("restricted", "routed")      # that somebody is on one of those lists is told to nobody else
NOWHERE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Published:
    """What publishing did: how many flags are new, how many took over from an earlier one, how many left.

    `again`: the run had been published before, and nothing was done.
    """

    publication: Publication
    new: int = 0
    handed_on: int = 0
    left: int = 0
    again: bool = False


def publish_run(writing: Writing, runs: Runs, name: str, wards: Mapping[str, str] = NOWHERE) -> Published:
    """Puts a run kept on disk before people. `wards`: the ward of a subject, where it is known.

    Raises StoreError for a run of one area, or of an earlier day than the last one published; RunError where there is
    no such run.
    """
    if runs.manifest(name)["area"] is not None:
        raise StoreError(Problem(f"run {name}", "is of one area only: everybody elsewhere would be said to have left",
                                 "a run of the whole borough", "publish a run made without --area"))
    lists = runs.lists(name)
    shown = [entry["subject"] for entry in lists["entries"] if entry["status"] == "shown"]
    return publish(writing, name, [runs.flag_text(subject, name) for subject in shown], lists["entries"],
                   lists["left"], wards)


def publish(
    writing: Writing, run: str, texts: Iterable[str], entries: Iterable[Mapping[str, Any]],
    left: Iterable[Mapping[str, Any]] = (), wards: Mapping[str, str] = NOWHERE,
) -> Published:
    """Stores the flags shown of a run: their JSON texts, and its entries and leavers as `list.json` has them.

    A run already published is left as it is. Raises StoreError for a run of an earlier day than the last one.
    """
    as_of = date.fromisoformat(run[:10])
    if (earlier := writing.first(select(publications).where(publications.c.run == run))) is not None:
        return Published(Publication(**earlier), again=True)
    _check_order(writing, run, as_of)
    entries = list(entries)
    places = {(entry["list"], entry["subject"]): number for number, entry in enumerate(entries, 1)}
    before = {(row["list"], row["subject"]): row for row in writing.all(
        select(flags.c.id, flags.c.list, flags.c.subject, flags.c.state, flags.c.lead, flags.c.version)
        .where(flags.c.state.in_(OPEN_STATES)))}
    papers = [json.loads(text) | {"text": text} for text in texts]
    papers.sort(key=lambda paper: places.get((paper["list"], paper["subject"]), len(places) + 1))
    rows = list(_rows(writing, run, papers, before, wards))
    publication = _add(writing, run, as_of, rows, papers)
    here = {(row["list"], row["subject"]): row["id"] for row in rows}
    handed_on = _hand_on(writing, [(row, here[key]) for key, row in before.items() if key in here])
    gone = _let_go(writing, [row for key, row in before.items() if key not in here], _reasons(entries, left))
    _hold_back(writing, run, entries)
    return Published(publication, len(rows) - handed_on, handed_on, gone)


def _check_order(writing: Writing, run: str, as_of: date) -> None:
    last = writing.value(select(func.max(publications.c.as_of)))
    if last is not None and as_of < last:
        raise StoreError(Problem(f"run {run}", f"is of an earlier day than the lists people work with, of {last}",
                                 f"a run of {last} or later", "publish runs in the order of their dates"), "conflict")


def _rows(
    writing: Writing, run: str, papers: list[dict[str, Any]], before: Mapping[tuple[str, str], RowMapping],
    wards: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    positions: dict[str, int] = {}
    for paper in papers:
        if paper["status"] != "shown":
            raise StoreError(Problem(f"run {run}", "has a flag among these that it does not show", "shown",
                                     "pass only what is shown: what is restricted or held stays with the run"))
        positions[paper["list"]] = positions.get(paper["list"], 0) + 1
        earlier = before.get((paper["list"], paper["subject"]))
        yield {
            "id": writing.draw(), "run": run, "as_of": date.fromisoformat(paper["as_of"]),
            **{name: paper[name] for name in ("list", "subject", "name", "band", "status", "change")},
            "axis": find_leading(paper), "ward": wards.get(paper["subject"]),
            "folded": f"{paper['name']} {paper['subject']}".casefold(),
            "position": positions[paper["list"]], "digest": digest_text(paper["text"]),
            "state": earlier["state"] if earlier else "proposed", "because": "",
            "lead": earlier["lead"] if earlier else None, "successor": None,
            "changed_at": writing.at, "changed_by": writing.actor, "version": 1}


def find_leading(paper: Mapping[str, Any]) -> str:
    """The axis that put a flag in its band: of several, the one with most points.

    A proposal with a result and no band of its own is listed as watch: that is a matter of process.
    """
    there = [axis for axis in paper["axes"] if axis["band"] == paper["band"]]
    ranked = sorted(there, key=lambda axis: (-axis["points"], AXES.index(axis["axis"])))
    return str(ranked[0]["axis"]) if ranked else "process"


def _add(
    writing: Writing, run: str, as_of: date, rows: list[dict[str, Any]], papers: list[dict[str, Any]]
) -> Publication:
    number = int(writing.value(select(func.count()).select_from(publications))) + 1
    publication = Publication(run, number, as_of, writing.at, writing.actor, len(rows),
                              digest_flags([(row["id"], row["digest"]) for row in rows]))
    note = Note("run.published", run, {"flags": len(rows), "digest": publication.digest})
    writing.change(note, insert(publications), [vars(publication)])
    note = Note("flags.proposed", run, {"flags": len(rows)})
    writing.change_all([note], insert(flags), rows)
    note = Note("flags.explained", run, {"texts": len(rows)})
    writing.change_all([note], insert(stored_texts), [
        {"flag": row["id"], "text": paper["text"]} for row, paper in zip(rows, papers, strict=True)])
    marked = [{"flag": row["id"], "kind": kind, "value": value} for row, paper in zip(rows, papers, strict=True)
              for kind, value in sorted(_labels(row["axis"], paper))]
    writing.change_all([Note("flags.labelled", run, {"labels": len(marked)})], insert(labels), marked)
    return publication


def _labels(leading: str, paper: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {("axis", leading), *(("axis", axis["axis"]) for axis in paper["axes"] if axis["band"]),
            *(("theme", reason["theme"]) for reason in paper["reasons"]),
            *(("rule", reason["rule"]) for reason in paper["reasons"]),
            *(("agency", agency) for agency in paper["convene"])}


def _hand_on(writing: Writing, pairs: list[tuple[RowMapping, str]]) -> int:
    notes = [Note("flag.superseded", row["id"], {"by": successor, "state": row["state"]}) for row, successor in pairs]
    _close(writing, notes, [{"of": row["id"], "state": "superseded", "successor": successor, "because": "",
                             "version": row["version"] + 1} for row, successor in pairs])
    return len(pairs)


def _let_go(writing: Writing, rows: list[RowMapping], reasons: Mapping[tuple[str, str], str]) -> int:
    told = [(row, reasons.get((row["list"], row["subject"]), UNSAID)) for row in rows]
    notes = [Note("flag.left", row["id"], {"state": row["state"]}) for row, _why in told]
    _close(writing, notes, [{"of": row["id"], "state": "left", "successor": None, "because": why,
                             "version": row["version"] + 1} for row, why in told])
    return len(rows)


def _hold_back(writing: Writing, run: str, entries: Iterable[Mapping[str, Any]]) -> None:
    """Whoever is held back from now on is held back in earlier weeks' lists too; what was decided there stays."""
    for entry in entries:
        if entry["status"] in PRIVATE:
            statement = update(flags).where(
                flags.c.list == entry["list"], flags.c.subject == entry["subject"], flags.c.status != entry["status"],
            ).values(status=entry["status"], version=flags.c.version + 1, changed_at=writing.at,
                     changed_by=writing.actor)
            writing.change(Note("flags.held_back", run, {}), statement)


def _close(writing: Writing, notes: list[Note], rows: list[dict[str, Any]]) -> None:
    statement = update(flags).where(flags.c.id == bindparam("of")).values(
        state=bindparam("state"), successor=bindparam("successor"), because=bindparam("because"),
        version=bindparam("version"), changed_at=writing.at, changed_by=writing.actor)
    writing.change_all(notes, statement, rows)


def _reasons(
    entries: Iterable[Mapping[str, Any]], left: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, str], str]:
    """Why a subject has no flag before people now: it left, or it is listed and not shown."""
    return {**{(entry["list"], entry["subject"]): UNSAID if entry["status"] in PRIVATE else str(entry["status"])
               for entry in entries},
            **{(gone["list"], gone["subject"]): str(gone["because"]) for gone in left}}
