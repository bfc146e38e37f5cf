"""What people may write in a condition, what it means, and what they are told when it cannot be read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine.condition import (
    All,
    Any_,
    AtLeast,
    Compare,
    Condition,
    Exists,
    Known,
    Not,
    Outcome,
    exists_in,
    names_in,
    read_condition,
    rules_in,
)
from engine.documents import read_document
from engine.errors import RuleError

ISOLATED = Compare("isolated", "==", True)
VISITS = Compare("visits", ">=", 3)

PHRASES: dict[str, Condition] = {
    "visits >= 3": VISITS,
    "visits > 3": Compare("visits", ">", 3),
    "visits <= 3": Compare("visits", "<=", 3),
    "visits < -3": Compare("visits", "<", -3),
    "visits == 0": Compare("visits", "==", 0),
    "visits != 0": Compare("visits", "!=", 0),
    "visits>=3": VISITS,
    "  visits  >=  3  ": VISITS,
    "share <= 0.6": Compare("share", "<=", 0.6),
    "change > +2": Compare("change", ">", 2),
    "tenure == council": Compare("tenure", "==", "council"),
    "tenure == 'council flat'": Compare("tenure", "==", "council flat"),
    'landlord == "St Mary\'s"': Compare("landlord", "==", "St Mary's"),
    "code == '3'": Compare("code", "==", "3"),
    "lsoa == E01019400": Compare("lsoa", "==", "E01019400"),
    "seen >= 2026-11-23": Compare("seen", ">=", date(2026, 11, 23)),
    "tenure in [council, supported]": Compare("tenure", "in", ("council", "supported")),
    "reason in [51, 52]": Compare("reason", "in", (51, 52)),
    "tenure not in [other]": Compare("tenure", "not in", ("other",)),
    "support is known": Known("support"),
    "support is missing": Not(Known("support")),
    "isolated is true": ISOLATED,
    "isolated is false": Compare("isolated", "==", False),
    "in_debt_90d is true": Compare("in_debt_90d", "==", True),
    "is_new is true": Compare("is_new", "==", True),
}

BLOCKS: dict[str, tuple[str, Condition]] = {
    "all": ("{all: [visits >= 3, isolated is true]}", All((VISITS, ISOLATED))),
    "any": ("{any: [visits >= 3, isolated is true]}", Any_((VISITS, ISOLATED))),
    "not a clause": ("{not: isolated is true}", Not(ISOLATED)),
    "not a block": ("{not: {any: [visits >= 3]}}", Not(Any_((VISITS,)))),
    "another rule": ("{rule: person/hate-victim}", Outcome("person/hate-victim")),
    "points": ("{at_least: 3, of: [visits >= 3, {points: 2, when: isolated is true}]}",
               AtLeast(3, ((1, VISITS), (2, ISOLATED)))),
    "points over a block": ("{of: [{all: [visits >= 3]}], at_least: 1}", AtLeast(1, ((1, All((VISITS,))),))),
    "some record": ("{exists: {in: orders, where: live is true}}", Exists("orders", Compare("live", "==", True))),
    "some record lately and near": (
        "{exists: {in: orders, where: {all: [live is true]}, within: 365d, near: 500m}}",
        Exists("orders", All((Compare("live", "==", True),)), 365, 500)),
    "one clause alone": ("visits >= 3", VISITS),
    "deep": ("{all: [{any: [{not: {all: [visits >= 3]}}]}]}", All((Any_((Not(All((VISITS,))),)),))),
}

MISTAKES: dict[str, tuple[str, str]] = {
    "arithmetic on the left": ("a + b >= 3", "`a . b >= 3` is not a clause.*arithmetic belongs in a feature"),
    "arithmetic on the right": ("a >= 2 * 3", "`2 . 3` in `a >= 2 . 3`.*a number, a word.*written here as itself"),
    "no operator": ("isolated", "`isolated` is not a clause.*name >= 3.*one comparison a line"),
    "two in one line": ("a >= 3 and b >= 2", "`3 and b >= 2` in.*a number, a word"),
    "one equals sign": ("a = 3", "`a = 3` is not a clause.*< == !="),
    "the sign turned round": ("a => 3", "`a => 3` is not a clause.*name >= 3"),
    "a capital letter": ("Visits >= 3", "`Visits >= 3` is not a clause"),
    "a number with a comma": ("arrears >= 1,000", "`1,000` in `arrears >= 1,000`.*a number"),
    "a day that does not exist": ("seen >= 2026-02-30", "`2026-02-30` in.*YYYY-MM-DD"),
    "a day the other way round": ("seen >= 23/11/2026", "`23/11/2026` in.*YYYY-MM-DD"),
    "in without a list": ("tenure in council", "`council` in `tenure in council`.*a list .a, b. after in"),
    "a list left open": ("'tenure in [council'", r"`\[council` in.*a list"),
    "a list without end": ("'tenure in [council, ]'", r"`\[council, \]` in.*a list"),
    "an empty list": ("'tenure in []'", r"`\[\]` in `tenure in \[\]`.*a list"),
    "equal to a list": ("'tenure == [council]'", r"`\[council\]` in.*a list .a, b. after in"),
    "is with a word": ("tenure is council", "`tenure is council`.*is missing.*use == to compare"),
    "is not known": ("tenure is not known", "`tenure is not known`.*`is known` or `is missing`"),
    "a function": ("count(visits) >= 3", r"`count\(visits\) >= 3` is not a clause"),
    "a template": ("'{{ visits }} >= 3'", "is not a clause"),
    "nothing": ("''", "`` is not a clause"),
    "a bare number": ("3", "`3` is not a condition.*a clause, or one of all, any, not"),
    "null": ("null", "`None` is not a condition"),
    "a list where a block belongs": ("[a >= 3]", "is not a condition.*all, any, not"),
    "an empty all": ("{all: []}", "`all` without conditions.*one or more"),
    "an empty any": ("{any: }", "`any` without conditions.*one or more"),
    "all without a list": ("{all: a >= 3}", "`all` without conditions.*a list"),
    "an empty of": ("{at_least: 2, of: []}", "`of` without conditions"),
    "an unknown block": ("{none: [a >= 3]}", "a block with `none`.*one of all, any, not, rule, at_least"),
    "two blocks in one": ("{all: [a >= 3], any: [b >= 3]}", "a block with `all, any`.*one block a line"),
    "at_least without of": ("{at_least: 2}", "a block with `at_least`.*at_least . of"),
    "at_least with a word": ("{at_least: two, of: [a >= 3]}", "a block with `at_least, of`"),
    "points below one": ("{at_least: 1, of: [{points: 0, when: a >= 3}]}", "points `0`.*whole number, 1 or more"),
    "points in halves": ("{at_least: 1, of: [{points: 1.5, when: a >= 3}]}", "points `1.5`.*whole number"),
    "a bad window": ("{exists: {in: orders, where: a >= 3, within: 365}}", "`365`.*`within: 90d`"),
    "a window in weeks": ("{exists: {in: orders, where: a >= 3, within: 2w}}", "`2w`.*`within: 90d`"),
    "a bad distance": ("{exists: {in: orders, where: a >= 3, near: 1km}}", "`1km`.*`near: 400m`"),
    "exists without a table": ("{exists: {where: a >= 3}}", "`exists` with `where`.*in, where, and optionally"),
    "exists without where": ("{exists: {in: orders}}", "`exists` with `in`.*in, where"),
    "exists with another key": ("{exists: {in: orders, where: a >= 3, limit: 2}}", "`exists` with `in, where, limit`"),
    "exists as a word": ("{exists: orders}", "a block with `exists`"),
    "a rule as a list": ("{rule: [person/a]}", "a block with `rule`"),
}

SURELY_WRONG: dict[str, tuple[str, str]] = {
    "at_least nothing is always so": ("{at_least: 0, of: [a >= 3]}", "at_least"),
    "at_least more than there is never is": ("{at_least: 3, of: [a >= 3, b >= 3]}", "at_least"),
    "at_least yes": ("{at_least: true, of: [a >= 3]}", "at_least"),
    "a number no table can hold": ("a >= 99999999999999999999", "99999999999999999999"),
}


def write(folder: Path, condition: str) -> Path:
    path = folder / "rule.yaml"
    path.write_text(f"title: A rule\nwhen: {condition}\n", encoding="utf-8")
    return path


def read(folder: Path, condition: str) -> Condition:
    document = read_document(write(folder, condition))
    return read_condition(document["when"], document.where("when"))


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_means_what_it_says(phrase: str) -> None:
    assert read_condition(phrase) == PHRASES[phrase]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_means_what_it_says(tmp_path: Path, block: str) -> None:
    written, meant = BLOCKS[block]
    assert read(tmp_path, written) == meant


def test_yes_no_on_and_off_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text("a: no\nb: off\nc: yes\nd: true\ne: 007\nf: '3'\ng: 2026-02-30\n", encoding="utf-8")
    assert read_document(path) == {"a": "no", "b": "off", "c": "yes", "d": True, "e": 7, "f": "3", "g": "2026-02-30"}


def test_a_condition_names_the_facts_rules_and_records_it_reads() -> None:
    condition = All((VISITS, Not(Known("support")), AtLeast(2, ((1, ISOLATED), (2, VISITS))),
                     Outcome("person/one"), Exists("orders", Compare("live", "==", True))))

    assert names_in(condition) == ("visits", "support", "isolated")
    assert rules_in(condition) == ("person/one",)
    assert [block.table for block in exists_in(condition)] == ["orders"]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_helpful_error(tmp_path: Path, mistake: str) -> None:
    written, said = MISTAKES[mistake]
    with pytest.raises(RuleError, match=f"(?s)rule.yaml:2: .*{said}"):
        read(tmp_path, written)


@pytest.mark.parametrize("condition", SURELY_WRONG)
def test_a_condition_nobody_can_mean_gives_helpful_error(tmp_path: Path, condition: str) -> None:
    written, said = SURELY_WRONG[condition]
    with pytest.raises(RuleError, match=f"(?s)rule.yaml:2: .*{said}"):
        read(tmp_path, written)


def test_an_operator_and_its_value_must_suit_each_other() -> None:
    with pytest.raises(ValueError, match="in needs a list"):
        Compare("tenure", "in", "council")
    with pytest.raises(ValueError, match="== needs a value"):
        Compare("tenure", "==", ("council",))


def test_two_mistakes_in_one_file_are_both_told_each_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text("when:\n  all:\n    - a + b >= 3\n    - c >= 3\n    - any:\n        - d is council\n",
                    encoding="utf-8")
    document = read_document(path)

    with pytest.raises(RuleError) as error:
        read_condition(document["when"], document.where("when"))

    assert [(p.where, p.found) for p in error.value.problems] == [
        (f"{path}:3", "`a + b >= 3` is not a clause"), (f"{path}:6", "`d is council`")]


FILES: dict[str, tuple[str, str]] = {
    "a bracket left open": ("a: 1\nb: [1, 2\n", r"bad.yaml:3: not YAML.*check the indentation and quotes"),
    "a list in a list on one line": ("a: 1\nwhen: {all: [x in [a, b]]}\n", "bad.yaml:2: not YAML"),
    "a line out of step": ("a: 1\n   b: 2\n", "bad.yaml:2: not YAML"),
    "a tab": ("a:\n\tb: 2\n", "bad.yaml:2: not YAML"),
    "two documents": ("a: 1\n---\nb: 2\n", "bad.yaml:2: not YAML"),
    "a key twice": ("a: 1\nb: 2\na: 3\n", "bad.yaml:3: `a` is given twice.*keep one of the two"),
    "a key twice further in": ("a:\n  b: 2\n  b: 3\n", "bad.yaml:3: `b` is given twice"),
    "nothing at all": ("", "bad.yaml:1: no mapping found.*key: value"),
    "a list": ("- a\n- b\n", "bad.yaml:1: no mapping found"),
    "a sign no file should hold": ("a: 1\nb: \x07\n", "bad.yaml.*not YAML"),
}


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_not_yaml_names_file_and_line(tmp_path: Path, file: str) -> None:
    text, said = FILES[file]
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match=f"(?s){said}"):
        read_document(path)


def test_a_file_in_another_alphabet_or_not_there_gives_helpful_error(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_bytes("title: Zoë".encode("latin-1"))
    for name in ("old.yaml", "none.yaml"):
        with pytest.raises(RuleError, match=f"{name}: cannot be read.*\n.*UTF-8"):
            read_document(tmp_path / name)


def test_files_from_windows_are_read_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes("\ufefftitle: Zoë\r\nwhen: a >= 3\r\n".encode())
    assert read_document(path) == {"title": "Zoë", "when": "a >= 3"}
