"""Cards in the weekly run: everybody is counted. On trial no list knows of one; live, it may lift a band."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from engine.card import Card, read_card
from engine.errors import RuleError
from engine.flag import write_json
from engine.tally import tally
from engine.weekly import Run, make_run

from ..week.made import AS_OF, Row, ago
from ..week.test_runs import ADDRESS, REPORTS, Office, council, write_rules

TEXT = """\
card: {name}
subject: {subject}
axis: {axis}
status: {status}
licence: probability
fitted: {{rows: 9000, events: 900}}
bands: {{convene: 0.1}}
{applies}factors:
  - fact: {fact}
    bins:
      - {{when: {fact} >= 3, points: 5, share: 0.1}}
      - {{when: {fact} < 3, points: 0, share: 0.8}}
      - {{when: {fact} is missing, points: -2, share: 0.1}}
scores:
  - {{from: -2, to: 5, probability: 0.6, low: 0.5, high: 0.7, rows: 9000}}
"""


def a_card(folder: Path, name: str, fact: str, subject: str = "person", axis: str = "vulnerability",
           applies: str = "", status: str = "trial") -> Card:
    path = folder / f"{name}.yaml"
    path.write_text(TEXT.format(name=name, fact=fact, subject=subject, axis=axis, status=status,
                                applies=f"applies: {applies}\n" if applies else ""), encoding="utf-8")
    return read_card(path)


def open_office(root: Path, *also: Row) -> Office:
    """An office that has heard the usual reports and these, and that all else is quiet."""
    (root / "files").mkdir()
    office = Office(root / "home", write_rules(root / "rules"), root / "files")
    office.say_all_is_quiet(AS_OF)
    office.send("addresses", [ADDRESS], AS_OF, "addresses")
    office.send("first", [*REPORTS, *also], AS_OF)
    return office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return open_office(tmp_path_factory.mktemp("carded"))


def run_with(office: Office, *cards: Card) -> Run:
    return make_run(office.lake, office.pack, AS_OF, office.runs.before(AS_OF), threads=1, cards=cards)


def test_a_card_on_trial_counts_everybody_and_changes_no_entry_and_no_flag(office: Office, tmp_path: Path) -> None:
    """Even one that would put all of them on the top band."""
    suffered = a_card(tmp_path, "suffered", "suffered_90d")
    did = a_card(tmp_path, "did", "did_90d", axis="harm", applies="age >= 10")
    heard = a_card(tmp_path, "heard", "reports_90d", "place", "place")
    plain, carded = run_with(office), run_with(office, suffered, did, heard)
    assert plain.flags
    assert write_json([carded.entries, carded.left, carded.flags, carded.digests]) == write_json(
        [plain.entries, plain.left, plain.flags, plain.digests])
    for card in (suffered, did, heard):
        assert card.subject is not None
        rows = carded.tables[card.subject].to_pyarrow().to_pylist()
        assert len(rows) >= 2
        assert [row[f"card:{card.name}"] for row in rows] == [tally(card, row).total for row in rows]
    totals = carded.tables["person"].to_pyarrow()
    assert set(totals["card:suffered"].to_pylist()) == set(totals["card:did"].to_pylist()) == {0, 5}
    assert set(carded.tables["person"].columns) - set(plain.tables["person"].columns) == {"card:suffered", "card:did"}


def test_a_run_keeps_what_the_cards_counted(office: Office, tmp_path: Path) -> None:
    name = office.save(run_with(office, a_card(tmp_path, "suffered", "suffered_90d")))
    kept = pd.read_parquet(office.home / "runs" / name / "features_person.parquet")
    assert sorted(kept["card:suffered"].unique()) == [0, 5]


def test_where_a_feed_is_late_nobody_gets_a_total(tmp_path: Path) -> None:
    """The police say nothing, not even that all is quiet: three reports counted are at least three, and no total."""
    (tmp_path / "files").mkdir()
    office = Office(tmp_path / "home", write_rules(tmp_path / "rules"), tmp_path / "files")
    office.send("addresses", [ADDRESS], ago(0), "addresses")
    office.send("first", REPORTS, ago(0))
    table = run_with(office, a_card(tmp_path, "suffered", "suffered_90d")).tables["person"].to_pyarrow()
    assert table.num_rows > 0
    assert table["card:suffered"].null_count == table.num_rows


def test_a_card_the_pack_does_not_let_in_stops_the_run(office: Office, tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="F-07"):
        run_with(office, a_card(tmp_path, "wrong", "suffered_90d", axis="harm", applies="age >= 10"))


def test_a_retired_card_is_not_counted(office: Office, tmp_path: Path) -> None:
    run = run_with(office, a_card(tmp_path, "old", "suffered_90d", status="retired"))
    assert "card:old" not in run.tables["person"].columns


# --- a card that people made live -----------------------------------------------------------------

LIVE = """\
card: suffered
title: Further harm to this person reported within 90 days
subject: person
axis: vulnerability
status: {status}
licence: probability
fitted: {{rows: 9000, events: 900}}
bands: {{convene: 0.5}}
{answer}factors:
  - fact: suffered_90d
    bins:
      - {{when: suffered_90d >= 1, points: 5, share: 0.1}}
      - {{when: suffered_90d < 1, points: 0, share: 0.8}}
      - {{when: suffered_90d is missing, points: 0, share: 0.1}}
scores:
  - {{from: 0, to: 4, probability: 0.04, low: 0.03, high: 0.05, rows: 8000}}
  - {{from: 5, to: 5, probability: 0.6, low: 0.5, high: 0.7, rows: 1000}}
"""
SIGNED = """\
answer:
  authority: Crime and Disorder Act 1998 s.17
  owner: Victims lead
  review_by: 2027-06-30
  convene: [housing]
"""


def a_live_card(folder: Path, status: str = "live", answer: str = SIGNED) -> Card:
    path = folder / "suffered.yaml"
    path.write_text(LIVE.format(status=status, answer=answer), encoding="utf-8")
    return read_card(path)


@pytest.fixture(scope="module")
def once_hurt(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """C1 and C3 suffered often enough for a rule; C5 suffered once, which no rule puts forward."""
    return open_office(tmp_path_factory.mktemp("lifted"), council(20, 30, "C5", "C6"))


def victims(run: Run) -> dict[str, tuple[str, float, tuple[str, ...]]]:
    """Band, points and lifting cards of whoever is listed, by the rules that fired."""
    return {",".join(e.fired) or "no rule": (e.band, e.points, e.cards) for e in run.entries
            if e.list == "people" and any(axis.axis == "vulnerability" for axis in e.axes)}


def test_a_live_card_lifts_a_band_and_puts_forward_whom_no_rule_does(once_hurt: Office, tmp_path: Path) -> None:
    assert victims(run_with(once_hurt)) == {"person/suffered-often": ("watch", 4.0, ())}
    assert victims(run_with(once_hurt, a_live_card(tmp_path))) == {
        "person/suffered-often": ("convene", 4.0, ("suffered",)), "no rule": ("convene", 0.0, ("suffered",))}


def test_the_flag_shows_points_that_add_up_records_behind_them_and_when_they_lapse(
    once_hurt: Office, tmp_path: Path
) -> None:
    run = run_with(once_hurt, a_live_card(tmp_path))
    [flag] = [f for f in run.flags if f.list == "people" and not f.reasons]
    [account] = flag.cards
    [part] = account.parts
    assert (account.score, account.band, part.points) == (5, "convene", 5)
    assert part.records == tuple(r.record for r in flag.records) == ("council_asb:A20",)
    assert account.said == ("Further harm to this person reported within 90 days: of 100 people with this score, "
                            "about 60 (between 50 and 70).")
    assert account.said in flag.paragraph
    assert account.lapse == "It leaves “convene” on this card after 61 days without a further report."
    assert flag.lapse == "It drops off after 61 days without a further report."
    assert flag.convene == ("housing",)
    assert set(flag.digests) == {"pack", "features", "snapshot", "cards"}


def test_a_run_is_made_again_with_its_own_cards_whatever_became_of_the_file(once_hurt: Office, tmp_path: Path) -> None:
    run = run_with(once_hurt, a_live_card(tmp_path))
    name = once_hurt.save(run)
    (tmp_path / "suffered.yaml").unlink()
    again = once_hurt.runs.remake(name, once_hurt.lake)
    assert write_json([again.entries, again.flags]) == write_json([run.entries, run.flags])
    assert once_hurt.runs.manifest(name)["cards"][0]["in_force"] is True


def test_what_a_card_on_trial_says_is_kept_for_analysts(once_hurt: Office, tmp_path: Path) -> None:
    name = once_hurt.save(run_with(once_hurt, a_live_card(tmp_path, "trial", "")))
    told = once_hurt.runs.on_trial(name)
    assert told
    assert all(account["status"] == "trial" and account["score"] in (0, 5) for [account] in told.values())
    assert all(json.loads(once_hurt.runs.flag_text(subject, name))["cards"] == [] for subject in told)


def test_whom_only_a_card_put_forward_leaves_with_it_and_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    office = Office(tmp_path / "home", write_rules(tmp_path / "rules"), tmp_path / "files")
    for day in (ago(7), AS_OF):
        office.say_all_is_quiet(day)
    office.send("addresses", [ADDRESS], ago(7), "addresses")
    office.send("first", [council(20, 30, "C5", "C6")], ago(7))
    before = office.runs.before(ago(7))
    office.save(make_run(office.lake, office.pack, ago(7), before, threads=1, cards=[a_live_card(tmp_path)]))
    office.send("quiet", [council(21, 2, "C7", "C8")], AS_OF)
    [left] = make_run(office.lake, office.pack, AS_OF, office.runs.before(AS_OF), threads=1).left
    assert left.because == "no longer in a band on the score card suffered"


def test_a_live_card_needs_somebody_who_answers_for_it(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"suffered.yaml:5: a live card that nobody answers for"):
        a_live_card(tmp_path, answer="")


def test_two_live_cards_on_one_axis_are_refused(once_hurt: Office, tmp_path: Path) -> None:
    card = a_live_card(tmp_path)
    with pytest.raises(RuleError, match="`suffered` and `other` are both live on the axis vulnerability of a person"):
        run_with(once_hurt, card, replace(card, name="other"))
