"""A list audited from files: whose names are found, what is refused before anything is read, and that nothing is kept.

What an audit says of groups is tested in test_fairness; here is the way there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from typer.testing import CliRunner

from api.cli import app
from api.intake import read_manifest, take_in
from engine.invent import invent
from engine.lake import Lake
from engine.pack import Pack
from models.auditing import Judged, choose_outcome, compare_groups, describe, judge_list, name_inputs
from models.equality import FairnessError
from models.equality_files import name_people, read_equality, read_truth, rename
from models.fairness import Audit, Cases
from models.findings import write_audit
from models.listed import find_lost_facts, list_by_card, list_by_rules
from models.outcomes import Outcomes, read_outcomes
from models.snapshots import Facts, Past

from .made import a_card
from .marked import deal_equality, name_true_people, read_suffered, read_true_equality

VICTIM = "further_victim_90d"
AS_OF = date(2026, 8, 18)
UNTIL = date(2026, 11, 23)
Write = Callable[[str], Path]


@pytest.fixture(scope="module")
def declared(shipped: Pack) -> Outcomes:
    return read_outcomes(shipped)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "brought.csv"
        path.write_text(text, encoding="utf-8")
        return path
    return written


# --- the files that are brought -------------------------------------------------------------------


def test_an_equality_table_is_read_as_text_and_empty_or_not_known_is_missing(write: Write) -> None:
    table = read_equality(write("Subject,Sex,age_band\nP000001, female ,under 25\nhousing:07,,not known\n"))
    assert list(table.columns) == ["subject", "sex", "age_band"]
    assert table["subject"].tolist() == ["P000001", "housing:07"]
    assert table["sex"].tolist() == ["female", pd.NA]
    assert table["age_band"].tolist() == ["under 25", pd.NA]


@pytest.mark.parametrize(("text", "said"), [
    ("P000123,Ada Example,female\n", "its first column is not called `subject`"),
    ("", "its first column is not called `subject`"),
    ("subject\nP000123\n", "no characteristic"),
    ("subject,sex\n", "no rows"),
    ("subject,\nP000123,Ada Example\n", "equality, column 2: a name that cannot be used"),
    ("subject,Ada Example 1980-02-03\nP000123,x\n", "equality, column 2: a name that cannot be used"),
    ("subject,sex,sex\nP000123,Ada Example,b\n", "equality, column 3: a name twice"),
    ("subject,sex\nP000123,Ada Example,b\nP000124\n", "more or fewer fields than columns in lines 2, 3"),
    ("subject,sex\n,Ada Example\n", "no subject in line 2"),
    ("subject,sex\nP000123,Ada Example\nP000124,b\nP000123,b\n", "a subject that stands further up, in line 4"),
])
def test_what_cannot_be_read_gives_helpful_errors_that_quote_nothing(write: Write, text: str, said: str) -> None:
    with pytest.raises(FairnessError) as caught:
        read_equality(write(text))
    assert said in str(caught.value)
    assert not [word for word in ("Ada", "P000123", "1980", "female") if word in str(caught.value)]


def test_a_file_that_is_not_text_gives_helpful_error(tmp_path: Path) -> None:
    path = tmp_path / "equality.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(FairnessError, match="not a CSV file in UTF-8"):
        read_equality(path)


def test_a_truth_says_yes_or_no_of_each(write: Write) -> None:
    assert read_truth(write("subject,happened\nP1,Yes\nP2,0\n"))["happened"].tolist() == [1, 0]
    with pytest.raises(FairnessError, match=r"truth.happened: no answer in line 3"):
        read_truth(write("subject,happened\nP1,1\nP2,perhaps\n"))
    with pytest.raises(FairnessError, match="`subject`, `happened`"):
        read_truth(write("subject,harmed\nP1,1\n"))


def test_people_are_found_by_an_agencys_reference_and_by_the_id_of_the_latest_run() -> None:
    then = _registry(("police:1", "P000001"), ("housing:7", "P000001"), ("police:2", "P000002"))
    now = _registry(("police:1", "P000900"), ("housing:7", "P000900"), ("council:3", "P000901"))
    names = name_people(then, now)
    assert names == {"police:1": "P000001", "housing:7": "P000001", "police:2": "P000002", "P000900": "P000001"}
    assert "P000001" not in name_people(then, None)     # an id of no run anybody saw


def test_who_is_called_two_things_that_contradict_each_other_is_not_known() -> None:
    table = pd.DataFrame({"subject": ["police:1", "housing:7", "police:2", "nobody:9"],
                          "sex": ["female", "male", "male", "male"], "age_band": ["old", None, "young", "old"]})
    renamed = rename(table, {"police:1": "P1", "housing:7": "P1", "police:2": "P2"}).set_index("subject")
    assert renamed["sex"].fillna("not known").to_dict() == {"P1": "not known", "P2": "male"}
    assert renamed["age_band"].to_dict() == {"P1": "old", "P2": "young"}


def _registry(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame([{"node": node, "person": person, "since": AS_OF, "until": None} for node, person in rows])


# --- the list as it would have been ---------------------------------------------------------------


def test_a_card_lists_those_it_is_meant_for_by_the_points_the_engine_gives(tmp_path: Path, shipped: Pack) -> None:
    facts = _facts(tmp_path, {"asb_subject_ev2_183d": [0, 4, 1, None, 9], "age": [40, 40, 40, 40, 5],
                              "tenure": ["council", "council", "private", None, "council"],
                              "isolated": [False, False, True, None, False],
                              "asb_subject_ev2_365d": [3, 3, 3, 3, 3]})
    listed = list_by_card(a_card(tmp_path), shipped, facts)
    assert (-listed.order).to_dict() == {"P1": 1, "P2": 7, "P3": 1, "P4": 1}    # the child is not asked about
    assert listed.points.loc["P2"].to_dict() == {"asb_subject_ev2_183d": 6, "tenure": 1, "isolated": 0}
    assert listed.probabilities is not None
    assert listed.probabilities.to_dict() == {"P1": 0.021, "P2": 0.55, "P3": 0.021, "P4": 0.021}
    assert listed.choose(listed.order.index, 1).tolist() == [0, 1, 0, 0]


def test_of_equals_the_same_ones_are_taken_in_whatever_order_they_come(tmp_path: Path, shipped: Pack) -> None:
    facts = _facts(tmp_path, {"asb_subject_ev2_183d": [1] * 40, "age": [40] * 40, "tenure": ["council"] * 40,
                              "isolated": [False] * 40, "asb_subject_ev2_365d": [3] * 40})
    listed = list_by_card(a_card(tmp_path), shipped, facts)
    subjects = listed.order.index
    turned = subjects[::-1]
    assert set(subjects[listed.choose(subjects, 7) == 1]) == set(turned[listed.choose(turned, 7) == 1])
    assert listed.choose(subjects, 7).sum() == 7
    assert listed.choose(subjects, 7).tolist() != [1] * 7 + [0] * 33        # not by the order of ids


def test_a_card_that_was_silent_on_the_day_is_not_audited(tmp_path: Path, shipped: Pack) -> None:
    facts = _facts(tmp_path, {"asb_subject_ev2_183d": [1]}, late=["police_involvements"])
    assert "asb_subject_ev2_183d" in find_lost_facts(shipped, "person", ["police_involvements"])
    with pytest.raises(FairnessError, match=r"keeps silent: no telling asb_subject_ev2_183d on 2026-08-18"):
        list_by_card(a_card(tmp_path), shipped, facts)
    fresh = _facts(tmp_path, {"asb_subject_ev2_183d": [1]})
    with pytest.raises(FairnessError, match="no licence to speak"):
        list_by_card(a_card(tmp_path, ("licence: probability", "licence: silent")), shipped, fresh)


def test_the_rules_list_whom_a_live_rule_of_the_axis_fired_for_and_say_no_chance(tmp_path: Path, shipped: Pack) -> None:
    rules = [rule.id for rule in shipped.rules_of("person", AS_OF)]
    harm = next(rule for rule in shipped.rules.values()
                if rule.subject == "person" and rule.axis == "harm" and rule.status == "live")
    victim = [rule for rule in shipped.rules.values()
              if rule.subject == "person" and rule.axis == "vulnerability" and rule.status == "live"][:2]
    fired = {"P1": [], "P2": [victim[0].id], "P3": [rule.id for rule in victim], "P4": [harm.id]}
    facts = _facts(tmp_path, {f"rule:{rule}": [rule in each for each in fired.values()] for rule in rules})

    listed = list_by_rules(shipped, facts, "person", "vulnerability")

    assert listed.probabilities is None
    assert set(listed.points.columns) == {rule.id for rule in victim}
    assert listed.choose(listed.order.index, 4).tolist() == [0, 1, 1, 0]        # nobody without a rule, place or not
    assert listed.choose(listed.order.index, 1).sum() == 1


def _facts(folder: Path, columns: dict[str, list[Any]], late: list[str] | None = None) -> Facts:
    """What was known of P1, P2, ... on the date."""
    count = len(next(iter(columns.values())))
    kinds = {"tenure": "string", **{name: "boolean" for name in columns if name == "isolated" or name[:5] == "rule:"}}
    table = pd.DataFrame({"subject": [f"P{n + 1}" for n in range(count)], **{
        name: pd.array(values, dtype=kinds.get(name, "Int64")) for name, values in columns.items()}})
    path = folder / "features_person.parquet"
    table.to_parquet(path)
    return Facts(AS_OF, folder, {"person": path}, _registry(), {"late": late or []})


# --- from there to the page -----------------------------------------------------------------------


@pytest.fixture
def judged(shipped: Pack, declared: Outcomes) -> Judged:
    """A list of 400 people, a quarter of whom were put forward, each known by a reference of the police."""
    random = np.random.default_rng(0)
    subjects = np.array([f"P{n:06d}" for n in range(400)], dtype=object)
    cases = Cases(subjects, random.integers(0, 2, 400), np.tile([1, 0, 0, 0], 100), np.full(400, 0.5))
    return Judged(declared.named[VICTIM], AS_OF, cases, 3, 100, name_inputs(shipped, None),
                  {f"police:{n}": name for n, name in enumerate(subjects)}, AS_OF - timedelta(days=30))


def test_the_page_says_which_list_it_is_and_hides_few(judged: Judged) -> None:
    equality = pd.DataFrame({"subject": list(judged.names), "sex": ["a", "b"] * 200})
    page = write_audit(compare_groups(judged, equality), describe(judged, "quick_v1"))
    assert "The list of `quick_v1` on 2026-08-18" in page
    assert "Fewer than 10 were left out because what followed is not known" in page
    assert "learned from these very days" in page
    assert "100 of 400 cases were put forward" in page


def test_a_truth_narrows_the_audit_to_those_it_was_asked_of(judged: Judged) -> None:
    equality = pd.DataFrame({"subject": list(judged.names), "sex": ["a", "b"] * 200})
    truth = pd.DataFrame({"subject": list(judged.names)[:300], "happened": [1, 0, 0] * 100})
    found = compare_groups(judged, equality, truth)
    assert (found.cases, found.with_truth) == (300, True)
    with pytest.raises(FairnessError, match="truth: nobody who could have been on this list"):
        compare_groups(judged, equality, truth.assign(subject="Q1"))


def test_a_list_of_rules_says_no_chance_and_nobody_asks_whether_it_came_true(judged: Judged) -> None:
    cases = Cases(judged.cases.subjects, judged.cases.labels, judged.cases.selected)
    plain = Judged(**{**judged.__dict__, "cases": cases, "learned_until": None})
    equality = pd.DataFrame({"subject": list(judged.names), "sex": ["a", "b"] * 200})
    found = compare_groups(plain, equality)
    assert {each.measure for each in found.groups[0].findings} == {"selection", "precision", "missed"}
    assert "## Whether probabilities come true" not in write_audit(found)


def test_a_table_about_other_people_gives_helpful_error(judged: Judged) -> None:
    with pytest.raises(FairnessError, match="`wardwise person ID` shows both"):
        compare_groups(judged, pd.DataFrame({"subject": ["Ada Example"], "sex": ["female"]}))


@pytest.mark.parametrize("column", ["age", "isolated", "need"])
def test_a_column_that_rules_or_cards_read_under_its_name_is_refused(judged: Judged, column: str) -> None:
    with pytest.raises(FairnessError, match="no input from the equality table"):
        compare_groups(judged, pd.DataFrame({"subject": list(judged.names), column: "x"}))


def test_a_card_is_judged_by_its_own_outcome_and_the_rules_by_one_that_is_named(
    tmp_path: Path, declared: Outcomes
) -> None:
    card = a_card(tmp_path)
    assert choose_outcome(card, None, declared).name == "further_harm_90d"
    assert choose_outcome(card, VICTIM, declared).name == VICTIM
    with pytest.raises(FairnessError, match="not said by what the list is judged"):
        choose_outcome(None, None, declared)
    with pytest.raises(FairnessError, match="further_incidents_90d is about a place"):
        choose_outcome(card, "further_incidents_90d", declared)


# --- typed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "said"), [
    (["rules", "--outcome", VICTIM], "no extracts"), (["rules"], "not said by what the list is judged"),
    (["nothing_v1"], "there is no such card"), (["rules", "--outcome", "luck"], "there is no such outcome")])
def test_what_is_typed_wrongly_or_too_early_gives_helpful_errors(
    tmp_path: Path, write: Write, words: list[str], said: str
) -> None:
    table = write("subject,sex\nP000123,Ada Example\n")
    told = CliRunner().invoke(app, ["fair", *words, "--equality", str(table)],
                              env={"WARDWISE_HOME": str(tmp_path / "home"), "WARDWISE_TRACEBACK": "1"})
    assert told.exit_code != 0
    assert said in told.output
    assert "Ada" not in told.output


def test_a_file_that_is_not_there_gives_helpful_error(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["fair", "rules", "--outcome", VICTIM, "--equality", str(tmp_path / "none.csv")],
                              env={"WARDWISE_HOME": str(tmp_path / "home")})
    assert told.exit_code != 0
    assert "none.csv: cannot be read or written: No such file or directory" in told.output


def test_a_table_named_like_an_input_is_refused_before_anything_is_read(tmp_path: Path, write: Write) -> None:
    told = CliRunner().invoke(app, ["fair", "rules", "--outcome", VICTIM, "--equality",
                                    str(write("subject,age\nP000123,Ada Example\n"))],
                              env={"WARDWISE_HOME": str(tmp_path / "home"), "WARDWISE_TRACEBACK": "1"})
    assert told.exit_code != 0
    assert "equality.age: the input `age` of a rule or card is named after it" in told.output


# --- on an invented borough -----------------------------------------------------------------------

NULLS = 60
PLACES = 400


@dataclass(frozen=True)
class Borough:
    """An invented borough, its lake, and the list of its rules on the latest date that is told of."""

    folder: Path
    home: Path
    judged: Judged
    people: pd.Series

    def audit(self, equality: pd.DataFrame) -> Audit:
        """With a table, and what was truly suffered, as an agency would bring them."""
        last = self.judged.as_of + timedelta(days=self.judged.outcome.horizon)
        return compare_groups(self.judged, equality, read_suffered(self.folder, self.people, self.judged.as_of, last))


@pytest.fixture(scope="session")
def make_borough(tmp_path_factory: pytest.TempPathFactory, shipped: Pack) -> Callable[[int, float], Borough]:
    @cache
    def made(residents: int, recorded: float) -> Borough:
        root, outcomes = tmp_path_factory.mktemp("borough"), read_outcomes(shipped)
        invent(root / "invented", residents, 24, 1, UNTIL, recorded=recorded)
        lake = Lake(root / "home", shipped.contracts)
        assert take_in(lake, read_manifest(root / "invented" / "extracts"), lambda *_: None, []).problems == ()
        judged = judge_list(Past(lake, shipped, outcomes, threads=2), None, outcomes.named[VICTIM], PLACES)
        return Borough(root / "invented", root / "home", judged,
                       name_true_people(root / "invented", lake, judged.as_of))
    return made


@pytest.mark.more
def test_what_is_typed_prints_a_page_and_keeps_nothing_of_the_table(
    make_borough: Callable[[int, float], Borough], tmp_path: Path
) -> None:
    borough = make_borough(4_000, 1.0)
    table, page = tmp_path / "equality.csv", tmp_path / "page.md"
    read_true_equality(borough.folder, borough.people, ("sex",)).assign(group="Zyxwvian").to_csv(table, index=False)
    home = {"WARDWISE_HOME": str(borough.home), "WARDWISE_TRACEBACK": "1"}
    words = ["fair", "rules", "--outcome", VICTIM, "--equality", str(table), "--capacity", "200"]

    told = CliRunner().invoke(app, words, env=home)
    kept = CliRunner().invoke(app, [*words, "--out", str(page)], env=home)

    assert (told.exit_code, kept.exit_code) == (0, 0), told.output + kept.output
    assert told.stdout.startswith("# How the list treats groups")
    assert page.read_text(encoding="utf-8") == told.stdout
    assert "group: Zyxwvian" in told.stdout
    assert [path for path in borough.home.rglob("*") if path.is_file() and b"Zyxwvian" in path.read_bytes()] == []


@pytest.mark.more
def test_what_one_group_suffers_and_half_of_is_never_told_is_found_to_be_a_gap_in_recording(
    make_borough: Callable[[int, float], Borough]
) -> None:
    borough = make_borough(100_000, 0.5)
    smaller = borough.audit(read_true_equality(borough.folder, borough.people, ("group",))).find("group: C")
    gap = smaller.find("recorded").difference
    assert smaller.find("recorded").verdict == "shown to differ"
    assert gap is not None and gap.value < -0.1
    assert smaller.find("risk").verdict != "shown to differ"


@pytest.mark.more
def test_groups_dealt_by_lot_raise_an_alarm_in_no_more_than_5_of_100_audits(
    make_borough: Callable[[int, float], Borough]
) -> None:
    borough = make_borough(20_000, 1.0)
    true = borough.audit(read_true_equality(borough.folder, borough.people, ("group",)))
    assert list(true.select("shown to differ")) == []
    alarms = sum(any(borough.audit(deal_equality(borough.people, seed)).select("shown to differ"))
                 for seed in range(NULLS))
    assert alarms <= binom.ppf(0.975, NULLS, 0.05)

