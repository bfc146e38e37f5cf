"""A record marked as disputed: what rests on it is not known from that day on, never "no", until the mark is lifted."""

from __future__ import annotations

import json
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from engine.carried import carry, find_doubted
from engine.condition import Exists, read_condition
from engine.disputes import Disputes, in_doubt, mark_tables
from engine.errors import RunError
from engine.evaluate import Case, evaluate
from engine.measures import Kept, measure
from engine.reasoning import compile_pack
from engine.weekly import Run, make_run
from engine.world import Workbench, order_zones, places_to_avoid

from .made import AS_OF, a_feature, a_pack, a_rule, ago, make_table, make_week, make_world, put_rows, report
from .test_runs import Office, made, office, opened, stored, texts  # noqa: F401  its small office

WHO, CHALLENGE = "u" * 22, "c" * 22
FIRST, SECOND = "council_asb:A0", "council_asb:A1"

# --- the journal ------------------------------------------------------------------------------------------


@pytest.fixture
def disputes(tmp_path: Path) -> Disputes:
    return Disputes(tmp_path)


def test_where_nobody_disputed_anything_nothing_is_in_dispute(disputes: Disputes) -> None:
    assert disputes.on(AS_OF) == frozenset()
    assert not disputes.path.exists()


def test_a_record_is_in_dispute_from_the_day_it_was_marked_until_that_was_lifted(disputes: Disputes) -> None:
    disputes.mark([FIRST], CHALLENGE, WHO, ago(10))
    disputes.lift(CHALLENGE, WHO, ago(3))
    assert [bool(disputes.on(ago(days))) for days in (11, 10, 4, 3, 0)] == [False, True, True, False, False]


def test_one_challenge_lifts_its_own_marks_and_no_others(disputes: Disputes) -> None:
    disputes.mark([FIRST, SECOND], CHALLENGE, WHO, AS_OF)
    disputes.mark([FIRST], "d" * 22, WHO, AS_OF)
    disputes.lift(CHALLENGE, WHO, AS_OF)
    assert disputes.on(AS_OF) == {FIRST}
    assert disputes.of(CHALLENGE) == frozenset()


def test_marking_or_lifting_twice_adds_no_line(disputes: Disputes) -> None:
    for _ in range(2):
        disputes.mark([FIRST], CHALLENGE, WHO, AS_OF)
    for _ in range(2):
        disputes.lift(CHALLENGE, WHO, AS_OF)
    assert [line.event for line in disputes.lines()] == ["marked", "lifted"]


def test_a_mark_is_never_lifted_before_the_day_it_was_made(disputes: Disputes) -> None:
    disputes.mark([FIRST], CHALLENGE, WHO, AS_OF)
    disputes.lift(CHALLENGE, WHO, ago(5))
    assert [line.day for line in disputes.lines()] == [AS_OF, AS_OF]


@pytest.mark.parametrize(("record", "challenge", "by"), [
    ("P000001", CHALLENGE, WHO), ("council_asb:", CHALLENGE, WHO), (FIRST, " ", WHO), (FIRST, CHALLENGE, "")])
def test_what_does_not_name_a_record_a_challenge_and_an_account_is_not_recorded_nor_repeated(
    disputes: Disputes, record: str, challenge: str, by: str
) -> None:
    with pytest.raises(RunError, match="the dispute") as caught:
        disputes.mark([record], challenge, by, AS_OF)
    assert "P000001" not in str(caught.value)
    assert disputes.lines() == []


def test_a_line_torn_by_a_power_cut_is_no_line_and_one_altered_gives_helpful_error(disputes: Disputes) -> None:
    disputes.mark([FIRST], CHALLENGE, WHO, AS_OF)
    with disputes.path.open("a") as file:
        file.write('{"record": "council_as')
    assert disputes.on(AS_OF) == {FIRST}
    disputes.path.write_text(disputes.path.read_text().partition("\n")[0].replace("marked", "burnt") + "\n")
    with pytest.raises(RunError, match="not a dispute"):
        disputes.on(AS_OF)


def mark_many(home: Path, first: int) -> None:
    for number in range(first, first + 25):
        Disputes(home).mark([f"council_asb:A{number}"], CHALLENGE, WHO, AS_OF)


def test_several_processes_may_record_at_once_and_lose_nothing(tmp_path: Path) -> None:
    workers = [get_context("fork").Process(target=mark_many, args=(tmp_path, first)) for first in (0, 25, 50)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Disputes(tmp_path).on(AS_OF) == {f"council_asb:A{number}" for number in range(75)}


# --- tables -----------------------------------------------------------------------------------------------


def test_a_table_without_a_column_for_it_gets_one_only_where_a_record_of_it_is_disputed(bench: Workbench) -> None:
    kinds = {"record": "string", "person": "string"}
    tables = {feed: put_rows(bench, feed, [{"record": f"{feed}:{n}"} for n in "AB"], kinds)
              for feed in ("support_needs", "orders")}
    marked = mark_tables(tables, ["support_needs:A", "police_uk:1"])
    assert marked["orders"] is tables["orders"]
    assert marked["support_needs"].order_by("record").disputed.to_pyarrow().to_pylist() == [True, False]


def test_what_an_agency_disputes_itself_stays_in_dispute(bench: Workbench) -> None:
    rows = make_table(bench, "reports", [report(1, disputed=told) for told in (True, False, None)])
    marked = mark_tables({"council_asb": rows}, ["council_asb:reports0001"])["council_asb"]
    assert marked.order_by("record").disputed.to_pyarrow().to_pylist() == [True, True, False]
    assert in_doubt(rows).name("x").as_table().x.to_pyarrow().to_pylist() == [True, False, False]


ZONE = {"record": "orders:1", "person": "P1", "kind": "injunction", "known": ago(9), "easting": 400_000.0,
        "northing": 300_000.0}
PAIR = {"record": "keep_apart:1", "person": "P1", "kind": "da", "known": ago(9)}
_KINDS = {"record": "string", "person": "string", "kind": "string", "known": "date", "easting": "float64",
          "northing": "float64", "current": "boolean"}


def test_the_places_of_a_disputed_order_are_in_dispute(bench: Workbench) -> None:
    orders = put_rows(bench, "orders", [ZONE], _KINDS | {"radius_m": "float64"})
    assert "disputed" not in order_zones(orders).columns
    zones = order_zones(mark_tables({"orders": orders}, ["orders:1"])["orders"])
    assert zones.disputed.to_pyarrow().to_pylist() == [True]


@pytest.mark.parametrize("disputed", ["keep_apart:1", "housing_tenancies:1"])
def test_the_home_of_somebody_to_be_kept_apart_rests_on_the_pair_and_on_the_tenancy(
    bench: Workbench, disputed: str
) -> None:
    pairs = put_rows(bench, "pairs", [PAIR | {"other": "P2"}], _KINDS | {"other": "string", "place_kind": "string"})
    homes = put_rows(bench, "homes", [{"record": "housing_tenancies:1", "person": "P2", "easting": 1.0,
                                       "northing": 2.0}], _KINDS)
    marked = mark_tables({"keep_apart": pairs, "housing_tenancies": homes}, [disputed])
    places = places_to_avoid(marked["keep_apart"], marked["housing_tenancies"]).to_pyarrow().to_pylist()
    assert [(place["place_kind"], place["disputed"]) for place in places] == [("home", True)]


# --- records that are looked for --------------------------------------------------------------------------

BLOCK_TEXT = {"exists": {"in": "reports", "where": "amount >= 3"}}
BLOCK = read_condition(BLOCK_TEXT)


@pytest.mark.parametrize(("rows", "found"), [
    ([(5, False)], True), ([(5, True)], None), ([(1, True)], False), ([(5, True), (4, False)], True),
    ([(5, True), (1, False)], None), ([(None, True)], None), ([], False)])
def test_a_disputed_record_that_is_looked_for_cannot_be_told_in_any_of_the_three_ways(
    bench: Workbench, rows: list[tuple[int | None, bool]], found: bool | None
) -> None:
    assert isinstance(BLOCK, Exists)
    told = [report(5, amount=amount, disputed=disputed) for amount, disputed in rows]
    world = make_world(bench, {"reports": told})
    wide = measure(world, "person", [], [BLOCK], bench.hold, {}).to_pyarrow().to_pylist()
    case = Case({}, {}, {BLOCK: make_table(bench, "related", told).to_pyarrow().to_pylist()})
    assert wide[0]["exists_0"] is found
    assert evaluate(BLOCK, case).state is found


@pytest.mark.parametrize("disputed", [True, False])
def test_neither_that_there_is_one_nor_that_there_is_none_follows_from_a_disputed_record(
    bench: Workbench, shipped: Any, disputed: bool
) -> None:
    model = next(iter(shipped.rules.values()))
    rules = [a_rule(model, "there-is-one", BLOCK_TEXT), a_rule(model, "there-is-none", {"not": BLOCK_TEXT})]
    case = Case({}, {}, {BLOCK: [report(5, amount=5, disputed=disputed, record="council_asb:1")]})
    fired = compile_pack(rules, {}).reason(case).fired
    assert fired == (frozenset() if disputed else {"person/there-is-one"})


# --- carried from tenants ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("mine", "theirs", "found"), [
    (True, False, True), (False, True, None), (False, False, None)])
def test_of_several_tenants_a_disputed_one_makes_any_unknown_unless_it_is_true_of_another(
    bench: Workbench, mine: bool, theirs: bool, found: bool | None
) -> None:
    source = a_feature("latest noisy", name="noisy", type="boolean", absence="unknown")
    feature = a_feature("carry", name="tenants_noisy", subject="place", carried_from="person.noisy", via="tenants",
                        type="boolean", absence="unknown")
    homes = [{"person": name, "uprn": "1", "known": ago(99)} for name in ("P1", "P2")]
    rows = [report(5, noisy=mine), report(5, person="P2", noisy=theirs, disputed=True)]
    world = make_world(bench, {"reports": rows, "residents": homes}, people=[{"subject": "P1"}, {"subject": "P2"}],
                       places=[{"subject": "uprn:1", "level": "uprn", "key": "1"}])
    kept: Kept = {}
    people = measure(world, "person", [source], [], bench.hold, kept)
    doubted = find_doubted(world, [feature], {"person.noisy": source}, kept)
    wide = measure(world, "place", [feature], [], bench.hold, {})
    carried = carry(world, wide, [feature], {"person": people}, doubted).to_pyarrow().to_pylist()
    assert carried[0]["tenants_noisy"] is found


# --- a run ------------------------------------------------------------------------------------------------


def again(office: Office, as_of: date = AS_OF) -> Run:  # noqa: F811
    return make_run(office.lake, office.pack, as_of, office.runs.before(as_of), threads=1)


def outcomes(run: Run, rule: str) -> dict[str, bool | None]:
    rows = run.tables[rule.split("/")[0]].to_pyarrow().to_pylist()      # type: ignore[index]
    return {str(row["subject"]): row[f"rule:{rule}"] for row in rows}


def test_a_disputed_report_turns_yes_into_cannot_tell_and_never_into_no(office: Office, made: Run) -> None:  # noqa: F811
    Disputes(office.home).mark([FIRST], CHALLENGE, WHO, AS_OF)
    run = again(office)
    for rule in ("person/suffered-often", "person/did-often", "place/heard-of-often"):
        before, now = outcomes(made, rule), outcomes(run, rule)
        changed = {(before[name], now[name]) for name in before if before[name] != now[name]}
        assert changed == {(True, None)}
    assert {entry.subject for entry in run.entries} < {entry.subject for entry in made.entries}


def test_the_run_of_the_next_week_says_who_left_because_nobody_can_tell(office: Office, made: Run) -> None:  # noqa: F811
    later = AS_OF + timedelta(days=3)
    office.say_all_is_quiet(later)
    Disputes(office.home).mark([FIRST], CHALLENGE, WHO, AS_OF + timedelta(days=1))
    left = [gone.because for gone in again(office, later).left]
    assert "cannot tell now: Suffered often" in left
    assert "cannot tell now: Did often" in left


def test_a_flag_that_stands_on_other_facts_says_that_this_one_is_disputed(bench: Workbench, shipped: Any) -> None:
    model = next(iter(shipped.rules.values()))
    damage = a_feature("count", name="damage", where="category == D01")
    worst = a_feature("max amount", name="worst_noise", where="category == N01")
    rule = a_rule(model, "many", {"any": ["damage >= 2", "worst_noise >= 3"]})
    rows = [report(5, category="D01"), report(6, category="D01"), report(7, category="N01", amount=5, disputed=True)]
    week = make_week(make_world(bench, {"reports": rows}), a_pack(shipped, [rule], [damage, worst]), bench)
    facts = {fact.name: (fact.value, fact.disputed) for fact in week.flags["P1"].facts}
    assert facts == {"damage": ("2", False), "worst_noise": ("not known", True)}


@pytest.mark.more
def test_lifting_restores_to_the_letter_what_was_before(office: Office, made: Run) -> None:  # noqa: F811
    Disputes(office.home).mark([FIRST], CHALLENGE, WHO, ago(2))
    assert again(office).entries != made.entries
    Disputes(office.home).lift(CHALLENGE, WHO, AS_OF)
    assert texts(again(office)) == texts(made)


def test_a_dispute_after_the_day_changes_nothing_of_it(office: Office, made: Run) -> None:  # noqa: F811
    Disputes(office.home).mark([FIRST], CHALLENGE, WHO, AS_OF + timedelta(days=1))
    assert texts(again(office)) == texts(made)


@pytest.mark.more
def test_a_run_is_made_again_with_the_disputes_it_was_made_with(office: Office) -> None:  # noqa: F811
    Disputes(office.home).mark([FIRST], CHALLENGE, WHO, AS_OF)
    name = office.save(again(office))
    Disputes(office.home).lift(CHALLENGE, WHO, AS_OF)
    Disputes(office.home).mark([SECOND], "d" * 22, WHO, AS_OF)
    assert office.runs.manifest(name)["disputes"] == [FIRST]
    assert texts(office.runs.remake(name, office.lake)) == stored(office, name)


def test_a_run_kept_before_anything_could_be_disputed_is_made_again(office: Office) -> None:  # noqa: F811
    name = office.runs.latest()
    assert name is not None
    path = office.home / "runs" / name / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest.pop("disputes") == []
    path.write_text(json.dumps(manifest))
    Disputes(office.home).mark([FIRST], CHALLENGE, WHO, AS_OF)
    assert texts(office.runs.remake(name, office.lake)) == stored(office, name)
