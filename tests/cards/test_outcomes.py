"""What may be declared as an outcome, and what is said, with file and line, when it may not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from engine.condition import names_in
from engine.errors import RuleError
from engine.pack import Pack
from models.outcomes import FOLDER, read_outcomes
from models.permitted import choose_inputs

ADDED = """
  made_up:
    title: Something
    subject: person
    axis: vulnerability
    horizon: 90
    when: reported_victim_90d >= 1
    why: A test.
    decided_by: nobody
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped declarations, to be spoilt."""
    for name in ("outcomes.yaml", "outcome_features"):
        copy = shutil.copytree if (FOLDER / name).is_dir() else shutil.copy
        copy(FOLDER / name, tmp_path / name)
    return tmp_path


def add(folder: Path, changes: dict[str, str]) -> int:
    """Declares one more outcome with some lines changed or added; gives the line it begins on."""
    lines = {line.strip().split(":")[0]: line for line in ADDED.strip("\n").splitlines()}
    for key, text in changes.items():
        lines[key] = f"    {key}: {text}"
    path = folder / "outcomes.yaml"
    text = path.read_text()
    place = text.index("\n# Archives hold rows")
    path.write_text(text[:place] + "\n" + "\n".join(lines.values()) + "\n" + text[place:])
    return text[:place].count("\n") + 2


def complaints(folder: Path, pack: Pack) -> list[str]:
    with pytest.raises(RuleError) as caught:
        read_outcomes(pack, folder)
    return [str(problem) for problem in caught.value.problems]


def test_the_shipped_outcomes_are_one_for_every_axis_a_card_may_have(shipped: Pack) -> None:
    outcomes = read_outcomes(shipped)
    assert {name: (o.subject, o.axis, o.horizon) for name, o in outcomes.named.items()} == {
        "further_harm_90d": ("person", "harm", 90), "further_victim_90d": ("person", "vulnerability", 90),
        "further_incidents_90d": ("place", "place", 90), "tenancy_failed_365d": ("allocation", "process", 365)}
    assert outcomes.named["further_harm_90d"].read_on(date(2026, 1, 1)) == date(2026, 4, 15)      # 90 days and 14


def test_no_rule_can_read_what_an_outcome_is_judged_on(shipped: Pack) -> None:
    outcomes = read_outcomes(shipped)
    asked = {f"{o.subject}.{name}" for o in outcomes.named.values() for name in names_in(o.when)}
    assert len(asked) == 4
    assert not asked & shipped.features.keys()


def test_an_outcome_that_fits_is_read(folder: Path, shipped: Pack) -> None:
    add(folder, {"cohort": "age >= 18", "settle": "7"})
    made = read_outcomes(shipped, folder).named["made_up"]
    assert made.read_on(date(2026, 1, 1)) == date(2026, 4, 8)


@pytest.mark.parametrize(("changes", "words"), [
    ({"when": "reported_victims_90d >= 1"}, "unknown name `reported_victims_90d`"),
    ({"when": "reported_victim_90d >= many"}, "compared with `many`"),
    ({"when": "asb_victim_365d >= 1"}, "`asb_victim_365d` looks back 365"),
    ({"when": "asb_victim_days < 90"}, "`asb_victim_days` looks back over everything"),
    ({"when": "age >= 18"}, "`age` is not counted from records"),
    ({"when": "asb_victim_change_90d >= 1"}, "compares with the window before"),
    ({"when": "asb_victim_90d >= 1"}, "counts what officers discovered"),
    ({"when": "{rule: person/adult-targeted-by-community}"}, "`rule` in the outcome `made_up`"),
    ({"horizon": "30"}, "`reported_victim_90d` looks back 90"),
    ({"axis": "place"}, "axis place of a person"),
    ({"axis": "harm"}, "F-07 Victim, witness or bystander counted as harm caused"),
    ({"cohort": "reported_victim_90d >= 1"}, "a fact of the pack, as known at the date"),
    ({"seen_on": "reported_victim_90d"}, "`seen_on` names `reported_victim_90d`, a number"),
    ({"seen_on": "nothing_such"}, "`seen_on` names `nothing_such`"),
    ({"subject": "persons"}, "`subject`"),
    ({"colour": "red"}, "`colour`"),
    ({"interventions": "{when: help_began_90d is true, how: ignore, why: none}"}, "`how`"),
])
def test_an_outcome_that_does_not_fit_is_refused_with_its_line(
    folder: Path, shipped: Pack, changes: dict[str, str], words: str
) -> None:
    line = add(folder, changes)
    found = complaints(folder, shipped)
    assert any(words in text for text in found)
    numbers = [int(text.split(".yaml:")[1].split(":")[0]) for text in found]
    assert all(line <= number <= line + 10 for number in numbers)


def test_what_was_discovered_counts_only_where_it_is_said_to_be_meant(folder: Path, shipped: Pack) -> None:
    add(folder, {"when": "asb_victim_90d >= 1", "discovered": "true"})
    assert read_outcomes(shipped, folder).named["made_up"].discovered


def test_a_fact_of_the_pack_cannot_be_declared_again(folder: Path, shipped: Pack) -> None:
    path = folder / "outcome_features" / "person.yaml"
    path.write_text(path.read_text().replace("  reported_harm:", "  asb_victim:").replace("harm is said", "is said"))
    assert any("`asb_victim_90d` is a feature of the pack already" in text for text in complaints(folder, shipped))


def test_what_is_known_in_hindsight_names_columns_that_exist(folder: Path, shipped: Pack) -> None:
    path = folder / "outcomes.yaml"
    path.write_text(path.read_text().replace("{ended: ended, end_reason: ended}", "{end_reason: finished}")
                    .replace("  operations:\n", "  operation:\n"))
    found = complaints(folder, shipped)
    assert any("housing_tenancies has no column `finished`" in text for text in found)
    assert any("hindsight of `operation`" in text for text in found)


@pytest.mark.parametrize(("subject", "axis", "taken", "left"), [
    ("person", "harm", "asb_subject_365d", "asb_victim_365d"),
    ("person", "vulnerability", "asb_victim_365d", "need_asyl"),
    ("place", "place", "asb_365d", "area_name"),
])
def test_a_card_may_learn_from_what_a_rule_of_its_axis_may_read(
    shipped: Pack, subject: str, axis: str, taken: str, left: str
) -> None:
    inputs = choose_inputs(shipped, subject, axis)  # type: ignore[arg-type]
    assert taken in inputs.names
    assert left in inputs.left_out
    assert set(inputs.names) | inputs.left_out.keys() == shipped.features_of(subject).keys()  # type: ignore[arg-type]


def test_what_would_tell_where_somebody_is_is_left_out_also_where_it_is_carried(shipped: Pack) -> None:
    near = replace(shipped.features["person.age"], name="refuge_m", measure=replace(
        shipped.features["person.age"].measure, verb="nearest"), sensitivity="special")
    brought = replace(near, subject="allocation", name="applicant_refuge_m", carried_from="person.refuge_m",
                      measure=replace(near.measure, verb="carry"), via="applicant")
    pack = replace(shipped, features={**shipped.features, "person.refuge_m": near,
                                      "allocation.applicant_refuge_m": brought})
    assert choose_inputs(pack, "person", "vulnerability").left_out["refuge_m"] == "it would tell where somebody is"
    assert "applicant_refuge_m" in choose_inputs(pack, "allocation", "process").left_out
