"""What a training table holds: what was known on a date, and what was told of the same people afterwards."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.intake import read_manifest, take_in
from engine.errors import RunError
from engine.invent import invent
from engine.lake import Lake
from engine.pack import Pack
from models.helped import weigh
from models.history import Training, build_history, check_dates, group_folds, judge_outcome, split_forward
from models.outcomes import Outcomes, read_outcomes
from models.snapshots import Past, follow_people

from .past import RECEIVED, T, Town, day, person

HARM, VICTIM, PLACE, OFFER = "further_harm_90d", "further_victim_90d", "further_incidents_90d", "tenancy_failed_365d"
HOME, OTHER = "100000000101", "100000000102"


@pytest.fixture(scope="session")
def declared(shipped: Pack) -> Outcomes:
    return read_outcomes(shipped)


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory, shipped: Pack, declared: Outcomes) -> Past:
    """People each of whom one thing happened to, and offers that went one way or another."""
    root, town = tmp_path_factory.mktemp("past"), Town()
    _report_people(town)
    _report_offers(town)
    lake = Lake(root / "home", shipped.contracts)
    town.take_in(lake, root / "files", ["police_incidents", "police_involvements", "council_asb", "engagements",
                                        "council_cases", "env_health", "place_plans", "operations"])
    return Past(lake, shipped, declared, threads=2)


def _report_people(town: Town) -> None:
    for name in ("Again", "Quiet", "Watched", "Helped", "Harmed", "Late", "Edge", "Wrong", "Disputed", "Victim"):
        town.police(person(name), "alleged_subject", -30)
    town.police(person("Child", person_dob="2017-05-05"), "alleged_subject", -30)
    town.police(person("Ageless", person_dob=None), "alleged_subject", -30)
    for name in ("Child", "Ageless"):
        town.police(person(name, person_dob="2017-05-05" if name == "Child" else None), "alleged_subject", 20)
    town.police(person("Again"), "alleged_subject", 40)
    town.police(person("Watched"), "alleged_subject", 40, origin="discovered")
    town.help(person("Helped"), 10)
    town.police(person("Helped"), "alleged_subject", 50)
    town.police(person("Harmed"), "alleged_subject", 10)
    town.help(person("Harmed"), 12)
    town.police(person("Late"), "alleged_subject", 90)      # the horizon is half-open: 0 to 89
    town.police(person("Edge"), "alleged_subject", 0)       # known on the day itself: an outcome, never a fact
    town.police(person("Victim"), "victim", 30)
    wrong = town.police(person("Wrong"), "alleged_subject", 30)
    held = town.police(person("Disputed"), "alleged_subject", 30)
    for name, ref, changed in (("Wrong", wrong, {"role": "witness"}), ("Disputed", held, {"disputed": True})):
        before = next(r for r in town.rows["police_involvements"] if r["incident_ref"] == ref)
        town.corrections.setdefault("police_involvements", []).append({**before, "amended": day(95), **changed})
        assert before["person_forename"] == name
    # The council knew somebody by another number; that they are one person is told by a birthday on day 50.
    council = {"subject_ref": "C77", "subject_forename": "Twice", "subject_surname": "Testtwice"}
    town.police(person("Twice"), "alleged_subject", -40)
    town.add("council_asb", report_ref="R1", occurred=day(-35), recorded=day(-35), category="N01", evidence=2,
             **council)
    town.add("council_asb", report_ref="R2", occurred=day(50), recorded=day(50), category="N01", evidence=2,
             origin="reported", **council, subject_dob="1985-03-04")


def _report_offers(town: Town) -> None:
    for number, uprn in enumerate((HOME, OTHER)):
        town.add("addresses", uprn=uprn, address=f"{number} Mill Lane", usrn="21600001", lsoa="E01000001",
                 easting=400000 + 500 * number, northing=300000, dwelling=True, recorded=day(-900))
    went = {"Failed": (HOME, "abandoned", 200), "Lasting": (HOME, None, None), "Elsewhere": (OTHER, "abandoned", 200),
            "Moved": (HOME, "moved", 200), "Refused": None}
    for name, tenancy in went.items():
        town.add("housing_register", application_ref=f"A-{name}", registered=day(-200), recorded=day(-199),
                 band="B", status="live", **person(name))
        town.add("proposed_allocations", proposal_ref=f"O-{name}", application_ref=f"A-{name}", uprn=HOME,
                 proposed=day(-10), recorded=day(-10), decided=day(14), travel_minutes=20)
        if tenancy is not None:
            uprn, reason, ended = tenancy
            town.add("housing_tenancies", tenancy_ref=f"T-{name}", started=day(20), recorded=day(21), uprn=uprn,
                     ended=day(ended) if ended else None, end_reason=reason, tenure="council", **person(name))


@pytest.fixture(scope="session")
def harm(past: Past, declared: Outcomes) -> Training:
    return build_history(past, declared.named[HARM], [T])


def _named(past: Past, training: Training, name: str) -> pd.Series:
    """The row of somebody the police know as N-<name>."""
    [folder] = [f for f in past.folder.iterdir() if (f / "registry.parquet").exists() and f.name.startswith(str(T))]
    registry = pd.read_parquet(folder / "registry.parquet")
    [who] = registry.loc[registry["node"].str.startswith(f"police:N-{name}"), "person"].unique()
    return training.rows.set_index("subject").loc[who]


# --- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "label"), [("Again", 1), ("Quiet", 0), ("Edge", 1)])
def test_a_label_tells_what_was_reported_from_the_date_on(past: Past, harm: Training, name: str, label: int) -> None:
    assert _named(past, harm, name)["label"] == label


def test_what_is_known_on_the_day_itself_is_no_fact_of_it(past: Past, harm: Training) -> None:
    assert _named(past, harm, "Edge")["asb_subject_183d"] == _named(past, harm, "Quiet")["asb_subject_183d"] == 1


def test_what_is_known_on_the_last_day_plus_one_no_longer_counts(past: Past, harm: Training) -> None:
    assert _named(past, harm, "Late")["label"] == 0


def test_what_officers_discovered_is_no_outcome(past: Past, harm: Training) -> None:
    assert _named(past, harm, "Watched")["label"] == 0


def test_harm_suffered_is_not_harm_caused(past: Past, harm: Training, declared: Outcomes) -> None:
    assert _named(past, harm, "Victim")["label"] == 0
    suffered = build_history(past, declared.named[VICTIM], [T])
    assert _named(past, suffered, "Victim")["label"] == 1
    assert _named(past, suffered, "Again")["label"] == 0


def test_a_correction_within_the_days_waited_is_taken_in(past: Past, harm: Training) -> None:
    assert _named(past, harm, "Wrong")["label"] == 0                # turned out to be a witness
    assert pd.isna(_named(past, harm, "Disputed")["label"])         # a disputed record proves nothing either way


def test_without_waiting_the_correction_comes_too_late(past: Past, declared: Outcomes) -> None:
    prompt = replace(declared.named[HARM], settle=0)
    at_once = replace(past, outcomes=replace(declared, named={HARM: prompt}))
    assert _named(at_once, build_history(at_once, prompt, [T]), "Wrong")["label"] == 1


# --- who is learned from --------------------------------------------------------------------------


def test_the_cohort_leaves_out_children_and_whose_age_nobody_knows_and_says_how_many(
    past: Past, harm: Training
) -> None:
    for name in ("Child", "Ageless"):
        with pytest.raises(KeyError):
            _named(past, harm, name)
    [log] = harm.log.to_dict("records")
    assert log["not_of_cohort"] == 1
    assert log["cannot_tell_cohort"] == 2       # Ageless, and the council's Twice before the birthday was told
    assert log["known_of"] == log["in"] + 3
    assert log["in"] == len(harm.rows)


def test_two_ids_that_become_one_person_are_both_followed_and_are_one_group(
    past: Past, declared: Outcomes
) -> None:
    everybody = replace(declared.named[HARM], cohort=None)
    both = build_history(past, everybody, [T, T + timedelta(days=120)])
    first = both.rows["as_of"] == pd.Timestamp(T)
    again = both.groups[first][both.groups[first].duplicated(keep=False)]
    assert len(again) == 2
    assert both.rows.loc[again.index, "subject"].nunique() == 2
    assert both.rows.loc[again.index, "label"].tolist() == [1, 1]       # reported on day 50 under one of them


def test_a_person_is_followed_to_the_id_that_holds_most_of_them() -> None:
    before = pd.DataFrame({"node": list("abcd"), "person": ["P1", "P1", "P1", "P2"], "until": None})
    after = pd.DataFrame({"node": list("abcde"), "person": ["P1", "P3", "P3", "P1", "P9"], "until": None})
    assert follow_people(before, after).to_dict() == {"P1": "P3", "P2": "P1"}


# --- help that came between ------------------------------------------------------------------------


def test_who_was_helped_first_has_no_label_and_who_was_helped_afterwards_has(past: Past, harm: Training) -> None:
    helped, harmed = _named(past, harm, "Helped"), _named(past, harm, "Harmed")
    assert helped["treated"]
    assert pd.isna(helped["label"])
    assert not harmed["treated"]
    assert harmed["label"] == 1
    assert harm.describe()[1] == "Help began first in 1 rows: their outcome is missing."


@pytest.mark.parametrize(("how", "labels"), [
    ("censor", [None, 1, 1]), ("compete", [0, 1, 1]), ("weight", [None, 1, 1])])
def test_what_becomes_of_the_outcome_after_help(declared: Outcomes, how: str, labels: list[int | None]) -> None:
    outcome = declared.named[HARM]
    assert outcome.interventions is not None
    outcome = replace(outcome, interventions=replace(outcome.interventions, how=how))
    days = pd.to_datetime(["2025-07-01", "2025-07-01", "2025-07-01"]).to_series(index=range(3))
    later = pd.DataFrame({
        "reported_harm_90d": [1, 1, 1], "harm_reported_first_90d": days, "help_began_90d": [True, True, False],
        "case_began_90d": [False] * 3, "help_first_90d": pd.to_datetime(["2025-06-20", "2025-07-01", None]),
        "case_first_90d": pd.to_datetime([None, None, None])})
    label, treated = judge_outcome(outcome, later)
    assert [None if pd.isna(value) else value for value in label] == labels
    assert treated.tolist() == [True, False, False]


def test_those_like_the_helped_count_for_them() -> None:
    known = pd.DataFrame({"reports": pd.array([0] * 80 + [5] * 80, "Int64")})
    helped = pd.Series([False] * 80 + [True, False] * 40, dtype="boolean")
    weights = weigh(known, helped)
    assert (weights[helped] == 0).all()
    assert weights[:80].max() < 1.1
    assert weights[81] == pytest.approx(2, abs=0.1)
    order = np.random.default_rng(3).permutation(160)
    shuffled = weigh(known.iloc[order].reset_index(drop=True), helped.iloc[order].reset_index(drop=True))
    assert (shuffled.to_numpy() == weights.to_numpy()[order]).all()


def test_the_newest_record_of_every_table_was_known_before_the_date(harm: Training) -> None:
    [newest] = harm.log["newest"]
    assert newest["involvements"] == day(-30)       # what was known on the day itself, and later, is not in it
    assert max(newest.values()) < str(T)


# --- offers ---------------------------------------------------------------------------------------


def test_an_offer_is_judged_by_the_tenancy_of_that_applicant_in_that_home(past: Past, declared: Outcomes) -> None:
    offers = build_history(past, declared.named[OFFER], [T, T + timedelta(days=5)])
    labels = {name: None if pd.isna(label) else label for name, label in offers.rows[["subject", "label"]].to_numpy()}
    assert labels == {"O-Failed": 1, "O-Lasting": 0, "O-Moved": 0, "O-Elsewhere": None, "O-Refused": None}
    assert set(offers.rows["as_of"].dt.date) == {T}         # each offer once, when it was first seen
    assert "travel_minutes" in offers.features


# --- features -------------------------------------------------------------------------------------


def test_features_have_the_types_that_are_declared_and_unknown_is_na(
    past: Past, declared: Outcomes, shipped: Pack
) -> None:
    suffered = build_history(past, declared.named[VICTIM], [T])
    kinds = {name: str(suffered.rows[name].dtype) for name in suffered.features}
    assert set(kinds.values()) <= {"Int64", "Float64", "boolean", "string"}
    assert kinds["asb_victim_183d"] == "Int64"
    assert kinds["arrears_weeks"] == "Float64"
    assert suffered.rows["arrears_weeks"].isna().all()          # the rent feed never sent anything
    assert list(suffered.rows) == ["subject", "as_of", *suffered.features, "label", "treated"]
    assert list(suffered.rules) == [r.id for r in shipped.rules_of("person", T)]
    assert len(suffered.rules) == len(suffered.groups) == len(suffered.weights) == len(suffered.rows)


def test_what_no_rule_of_the_axis_may_read_is_left_out_and_says_why(harm: Training) -> None:
    assert not {"asb_victim_183d", "needs_count", "need_mh", "missing_90d", "fire_at_home_365d"} & set(harm.features)
    assert harm.left_out["asb_victim_183d"].startswith("F-07")
    assert harm.left_out["need_asyl"].startswith("F-03")
    assert harm.left_out["household_themes"].startswith("F-08")


def test_an_undated_column_of_an_archive_is_not_learned_from(past: Past, harm: Training) -> None:
    assert "came as an archive" in harm.left_out["cchi_subject_365d"]
    assert past.lake.contracts["police_involvements"].columns["outcome"].type == "code"


def test_an_archive_does_not_tell_how_a_tenancy_ended_before_it_did(past: Past, declared: Outcomes) -> None:
    later = build_history(past, declared.named[VICTIM], [T, T + timedelta(days=120), T + timedelta(days=300)])
    failed = later.rows.groupby("as_of")["failed_tenancies_1095d"].sum()
    assert failed.tolist() == [0, 0, 2]     # taken up on day 20; Failed and Elsewhere end on day 200


def test_a_date_whose_horizon_is_not_over_is_refused(past: Past, declared: Outcomes) -> None:
    last = RECEIVED - timedelta(days=103)       # a day later than the corrections came
    check_dates(past, declared.named[PLACE], [last])
    with pytest.raises(RunError) as caught:
        build_history(past, declared.named[PLACE], [T, last + timedelta(days=1), last + timedelta(days=2)])
    assert [p.where for p in caught.value.problems] == [f"as of {last + timedelta(days=n)}" for n in (1, 2)]
    assert str(last) in caught.value.problems[0].allowed


def test_snapshots_are_made_once_and_used_by_every_outcome(past: Past, declared: Outcomes, harm: Training) -> None:
    said: list[str] = []
    again = build_history(replace(past, say=said.append), declared.named[HARM], [T])
    build_history(replace(past, say=said.append), declared.named[VICTIM], [T])
    assert not [line for line in said if "reading" in line or "became" in line]
    assert _bytes(again) == _bytes(harm)


# --- splits ---------------------------------------------------------------------------------------


@pytest.fixture
def monthly_rows(declared: Outcomes) -> Training:
    """Six people at twelve monthly dates, with nothing known of them."""
    days = pd.date_range("2025-01-01", periods=12, freq="MS")
    rows = pd.DataFrame([{"subject": f"P{n}", "as_of": day_, "label": 0, "treated": False}
                         for day_ in days for n in range(6)])
    beside = pd.Series(1.0, rows.index)
    return Training(declared.named[HARM], (), rows, rows["subject"], beside, pd.DataFrame(index=rows.index), {},
                    pd.DataFrame())


def test_no_outcome_learned_from_is_open_when_the_test_begins(monthly_rows: Training) -> None:
    tests = [date(2025, 11, 1), date(2025, 12, 1)]
    learned, tested = split_forward(monthly_rows, tests)
    assert sorted(set(tested.rows["as_of"].dt.date)) == tests
    last = learned.rows["as_of"].max().date()
    assert last == date(2025, 7, 1)
    assert monthly_rows.outcome.read_on(last) <= tests[0]
    assert monthly_rows.outcome.read_on(date(2025, 8, 1)) > tests[0]
    assert set(learned.rows["subject"]) == set(tested.rows["subject"])      # as in use: the same people, later


def test_a_split_that_would_leak_or_be_empty_is_refused(monthly_rows: Training) -> None:
    for tests, gap in (([date(2025, 11, 1)], 30), ([date(2025, 2, 1)], None), ([date(2025, 11, 5)], None), ([], None)):
        with pytest.raises(RunError):
            split_forward(monthly_rows, tests, gap)


def test_folds_keep_all_rows_of_a_subject_together(monthly_rows: Training) -> None:
    folds = group_folds(monthly_rows, 3, seed=1)
    assert pd.Series(folds).groupby(monthly_rows.groups.to_numpy()).nunique().eq(1).all()
    assert np.bincount(folds).tolist() == [24, 24, 24]
    order = np.random.default_rng(0).permutation(len(folds))
    turned = replace(monthly_rows, groups=monthly_rows.groups.iloc[order].reset_index(drop=True))
    assert (group_folds(turned, 3, seed=1) == folds[order]).all()


# --- an invented borough --------------------------------------------------------------------------

DATES = [date(2025, 7, 1)]
LATER = {"police_incidents": "incident_ref", "council_asb": "report_ref", "police_involvements": "involvement_ref",
         "engagements": "engagement_ref", "housing_tenancies": "tenancy_ref", "council_cases": "case_ref",
         "support_needs": "need_ref", "social_care_flags": "flag_ref"}


STARTS = {"recorded", "occurred", "reported", "opened", "noted", "started"}
CHANGES = {"category", "role", "code", "flag", "service", "case_type", "tenure"}


@pytest.fixture(scope="session")
def borough(tmp_path_factory: pytest.TempPathFactory, shipped: Pack) -> Path:
    """The home of an invented borough, taken in."""
    root = tmp_path_factory.mktemp("invented")
    invent(root / "borough", 4_000, 30, 5, date(2026, 1, 31))
    lake = Lake(root / "home", shipped.contracts)
    assert take_in(lake, read_manifest(root / "borough" / "extracts"), lambda *_: None, []).problems == ()
    return root / "home"


@pytest.fixture(scope="session")
def build(borough: Path, shipped: Pack, declared: Outcomes, tmp_path_factory: pytest.TempPathFactory
          ) -> Callable[..., Training]:
    """The training table of the borough, from a copy of its lake that `change` did something to first."""
    def made(change: Callable[[Lake], None] = lambda _: None, threads: int = 2, name: str = HARM) -> Training:
        home = tmp_path_factory.mktemp("copy") / "home"
        shutil.copytree(borough, home)
        lake = Lake(home, shipped.contracts)
        change(lake)
        return build_history(Past(lake, shipped, declared, threads), declared.named[name], DATES)
    return made


@pytest.fixture(scope="session")
def as_it_was(build: Callable[..., Training]) -> Training:
    return build()


def _bytes(training: Training) -> bytes:
    return b"".join(_frame_bytes(f) for f in (training.rows, training.rules, training.groups.to_frame("group"),
                                              training.weights.to_frame("weight"), training.log))


def _frame_bytes(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


def _shuffle(home: Path) -> None:
    """Puts the rows of every batch in another order."""
    random = np.random.default_rng(7)
    for path in sorted((home / "lake").rglob("*.parquet")):
        table = pq.read_table(path)
        pq.write_table(table.take(pa.array(random.permutation(len(table)))), path)


def _record_later(since: date, seed: int) -> Callable[[Lake], None]:
    """Records about the same people and places in many feeds, and corrections of old ones, known from a day on."""
    def change(lake: Lake) -> None:
        random = np.random.default_rng(seed)
        received = max(r.received for r in lake.ledger.read()) + timedelta(days=1)
        for feed, key in LATER.items():
            first = next(r for r in lake.ledger.read() if r.feed == feed and r.batch)
            stored = pq.read_table(lake.home / first.batch).select(list(lake.contracts[feed].columns))
            rows = stored.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get).astype(object)
            new = rows.sample(min(150, len(rows)), random_state=seed)
            days = random.integers(0, (received - since).days, len(new))
            when = [since + timedelta(days=int(n)) for n in days]
            dates = {c: when if c in STARTS else None for c, kind in lake.contracts[feed].columns.items()
                     if kind.type in ("date", "datetime") and not kind.birth}
            new = new.assign(**dates, **{key: [f"NEW{n}" for n in range(len(new))]})
            old = rows.sample(min(60, len(rows)), random_state=seed + 1).assign(amended=since + timedelta(days=3))
            for column in CHANGES & set(old):
                old[column] = random.permutation(old[column].to_numpy())
            path = lake.home.parent / f"{feed}.csv"
            pd.concat([new, old]).to_csv(path, index=False)
            receipt = lake.ingest(feed, path, received)
            assert receipt.new == len(new), (feed, lake.quarantined().tail(3).to_dict("records"))
            assert receipt.revised > 0 or not CHANGES & set(old), feed
    return change


def test_what_came_later_the_order_of_rows_and_threads_change_nothing_that_was_known(
    past: Past, harm: Training, declared: Outcomes, shipped: Pack, tmp_path: Path
) -> None:
    home, later = tmp_path / "home", Town()
    shutil.copytree(past.lake.home, home, ignore=shutil.ignore_patterns("history"))
    for number, after in enumerate((0, 30, 120)):
        later.add("police_incidents", incident_ref=f"L{number}", occurred=day(after), recorded=day(after),
                  category="P01", origin="reported")
        later.add("police_involvements", involvement_ref=f"VL{number}", incident_ref=f"L{number}", recorded=day(after),
                  role="alleged_subject", evidence=2, **person("Quiet"))
    later.take_in(Lake(home, shipped.contracts), tmp_path / "later", received=RECEIVED + timedelta(days=2))
    _shuffle(home)

    told = build_history(Past(Lake(home, shipped.contracts), shipped, declared, threads=1), declared.named[HARM], [T])

    features = list(harm.features)
    assert _frame_bytes(told.rows[["subject", *features]]) == _frame_bytes(harm.rows[["subject", *features]])
    assert _frame_bytes(told.rules) == _frame_bytes(harm.rules)
    changed = told.rows["label"].fillna(-1) != harm.rows["label"].fillna(-1)
    assert told.rows.loc[changed, "label"].tolist() == [1]      # Quiet, who was reported on day 0 and day 30


@pytest.mark.more
def test_nothing_recorded_from_the_date_on_changes_a_row_of_features(
    build: Callable[..., Training], as_it_was: Training
) -> None:
    told = build(_record_later(DATES[-1], seed=1))
    for frame in ("rows", "rules"):
        before, after = getattr(as_it_was, frame), getattr(told, frame)
        assert _frame_bytes(after.drop(columns=["label", "treated"], errors="ignore")) == _frame_bytes(
            before.drop(columns=["label", "treated"], errors="ignore"))
    assert (told.rows["label"] == 1).sum() > (as_it_was.rows["label"] == 1).sum()       # what was added was read


@pytest.mark.more
def test_nothing_recorded_after_the_horizon_changes_a_label(
    build: Callable[..., Training], as_it_was: Training, declared: Outcomes
) -> None:
    told = build(_record_later(declared.named[HARM].read_on(DATES[-1]), seed=2))
    assert _bytes(told) == _bytes(as_it_was)


@pytest.mark.more
def test_the_order_of_rows_and_the_number_of_threads_change_nothing(
    build: Callable[..., Training], as_it_was: Training
) -> None:
    assert _bytes(build(lambda lake: _shuffle(lake.home), threads=1)) == _bytes(as_it_was)


@pytest.mark.more
@pytest.mark.parametrize("seed", range(3, 8))
def test_nothing_recorded_later_changes_a_place_either(build: Callable[..., Training], seed: int,
                                                       declared: Outcomes) -> None:
    told = build(_record_later(declared.named[PLACE].read_on(DATES[-1]), seed), name=PLACE)
    assert _bytes(told) == _bytes(build(name=PLACE))
