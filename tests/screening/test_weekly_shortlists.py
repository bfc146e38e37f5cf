"""Every open proposal and every shortlist of a whole weekly run, screened again at the desk kept with it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import ibis
import pandas as pd
import pytest

from engine.desk import Desk
from engine.desks import Desks
from engine.lists import live_rules
from engine.matches import find_shortlist
from engine.pack import Pack
from engine.pairs import screen_shortlists
from engine.screen import screen
from engine.screening import Screening

from .conftest import Borough, Week

SUMS = ["result", "hard", "soft", "cannot_tell"]


def sums_of(screening: Screening) -> list[object]:
    return [screening.result, len(screening.hard), len(screening.soft), len(screening.unchecked)]


def test_every_pair_of_every_shortlist_comes_out_live_as_the_run_lists_it(week: Week) -> None:
    listed = week.run.shortlists
    assert len(listed) > 100
    assert listed["result"].nunique() >= 5
    for pair in listed.to_dict("records"):
        screening = screen(week.desk, week.desk.pair(pair["application"], pair["uprn"]))
        assert sums_of(screening) == [pair[name] for name in SUMS], (pair["application"], pair["uprn"])
        assert {c.rule for c in screening.conflicts} == {
            rule.id for rule in live_rules(week.desk.pack, "allocation", week.desk.as_of) if pair[f"rule:{rule.id}"]}


def test_every_open_proposal_comes_out_live_as_in_columns_whichever_word_it_gets(week: Week) -> None:
    proposals = week.run.tables["allocation"].to_pyarrow().to_pylist()
    rules = week.desk.rules
    assert len(proposals) > 20
    latest = {(row["application"], row["uprn"]): row["subject"] for row in sorted(
        proposals, key=lambda row: (row["last_known"], row["subject"]))}
    for row in proposals:
        if latest[row["application"], row["uprn"]] != row["subject"]:
            continue        # of two proposals for one pair the later is screened
        screening = screen(week.desk, week.desk.pair(row["application"], row["uprn"]))
        live = {c.rule: True for c in screening.conflicts} | {u.rule: None for u in screening.unchecked}
        assert screening.proposal == row["subject"]
        for rule in rules:
            if rule.status == "live":
                assert live.get(rule.id, False) is row[f"rule:{rule.id}"], (row["subject"], rule.id)


def test_a_shortlist_drawn_up_live_has_the_same_people_in_the_same_order_with_the_same_result(week: Week) -> None:
    for uprn, listed in week.run.shortlists.groupby("uprn"):
        live = find_shortlist(week.desk, str(uprn))
        assert [m.application for m in live] == listed["application"].tolist()
        assert [[m.result, m.hard, m.soft, m.cannot_tell] for m in live] == listed[SUMS].to_numpy().tolist()


def test_the_order_is_the_published_schemes_band_then_date_registered_then_application(week: Week) -> None:
    bands = list(week.desk.pack.policy.scheme.bands)
    entries = week.desk.applications
    first = sorted((e for e in entries.values() if e["live"]), key=lambda e: (
        bands.index(e["band"]) if e["band"] in bands else len(bands), e["registered"], e["application"]))
    assert [entry["place"] for entry in first] == list(range(1, len(first) + 1))
    assert {entry["place"] for entry in entries.values() if not entry["live"]} == {None}
    for _, listed in week.run.shortlists.groupby("uprn"):
        places = [entries[name]["place"] for name in listed["application"]]
        known = [place for place in places if place is not None]
        assert known == sorted(known) and places[:len(known)] == known


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_found_about_anybody_nobody_moves_up_or_down(week: Week, seed: int) -> None:
    rules = live_rules(week.desk.pack, "allocation", week.desk.as_of)
    order = week.run.shortlists[["application", "uprn", "place"]]
    random = Random(seed)
    found = pd.DataFrame({"application": order["application"], "uprn": order["uprn"], "proposal": None,
                          "last_known": None, **{
                              f"rule:{rule.id}": random.choices([True, False, None], [1, 20, 3], k=len(order))
                              for rule in rules}})
    kinds = {name: "boolean" if name.startswith("rule:") else "string" for name in found.columns}
    judged = ibis.memtable(found.sample(frac=1, random_state=seed), schema=kinds)
    again = screen_shortlists(judged, order, rules)
    assert again["result"].nunique() >= 3
    assert again[["application", "uprn"]].equals(order[["application", "uprn"]])


def test_the_shortlist_of_a_home_on_offer_without_proposals_is_the_first_of_the_register(week: Week) -> None:
    proposed = {uprn for _, uprn in week.desk.proposals}
    bare = [uprn for uprn, home in week.desk.homes.items() if home["available"] and uprn not in proposed]
    listed = week.run.shortlists.groupby("uprn")["place"].apply(list)
    assert bare
    for uprn in bare:
        assert listed[uprn] == list(range(1, week.desk.pack.policy.scheme.shortlist + 1))


def test_a_desk_opened_without_the_run_holds_the_same_bytes_as_the_runs_own(
    borough: Borough, week: Week, shipped: Pack, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    for part in ("lake", "ledger.jsonl"):
        (tmp_path / "home" / part).symlink_to(borough.home / part)
    alone: Desk = Desks(tmp_path / "home").open(borough.lake, shipped, borough.as_of)
    assert alone.name == week.desk.name
    kept, made = (files_of(home / "desks" / alone.name) for home in (borough.home, tmp_path / "home"))
    assert [name for name in kept.keys() | made.keys() if kept.get(name) != made.get(name)] == []


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
