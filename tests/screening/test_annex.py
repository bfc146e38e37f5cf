"""The published annex says every rule in force with its own numbers, and nothing about anybody."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click import unstyle
from markdown_it import MarkdownIt
from typer.testing import CliRunner, Result

from api.annex import write_markdown
from api.annex_words import LEVELS, RESULTS
from api.cli import app
from api.html import render_annex
from engine.annex import Annex, write_annex
from engine.clauses import Look, break_down
from engine.condition import Compare, names_in, read_condition, walk
from engine.documents import read_document
from engine.errors import RuleError
from engine.pack import Pack, read_pack
from engine.prose import say

RULES = Path(__file__).parents[2] / "rules"
DAY = date(2026, 11, 23)
COUNCIL = "Ravensmoor Borough Council"
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a page holds; refuses one whose elements do not close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.said += data

    @property
    def words(self) -> str:
        return " ".join(self.said.split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def read_markdown(text: str) -> str:
    """What a reader of the Markdown sees, as a page makes it."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


@pytest.fixture(scope="module")
def annex(shipped: Pack) -> Annex:
    return write_annex(shipped, DAY, COUNCIL)


@pytest.fixture(scope="module", params=["html", "markdown"])
def page(annex: Annex, request: pytest.FixtureRequest) -> Page:
    return Page(render_annex(annex) if request.param == "html" else read_markdown(write_markdown(annex)))


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str, str], Annex]:
    """The annex of a copy of the rules in which one thing in one file reads otherwise."""
    def change(file: str, old: str, new: str) -> Annex:
        folder = tmp_path / "rules"
        if not folder.exists():
            shutil.copytree(RULES, folder)
        text = (folder / file).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        return write_annex(read_pack(folder), DAY, COUNCIL)
    return change


def lines_of(look: Look) -> Iterator[str]:
    yield look.text
    for part in look.parts:
        yield from lines_of(part)


def words_of(text: str) -> str:
    return " ".join(text.split())


# --- what is published ----------------------------------------------------------------------------


def test_every_allocation_rule_in_force_is_published_with_its_reasons_and_responses(shipped: Pack, page: Page) -> None:
    live = [rule for rule in shipped.rules_of("allocation", DAY) if rule.status == "live"]
    assert len(live) >= 20
    for rule in live:
        for said in (f"{rule.reference}: {rule.title}", rule.why, rule.authority, rule.owner, str(rule.factor),
                     RESULTS[str(rule.result)][0], LEVELS[str(rule.level)][0], *(r.text for r in rule.respond)):
            assert words_of(said) in page.words, (rule.id, said)


def test_every_number_in_a_rule_is_in_its_entry(shipped: Pack, annex: Annex) -> None:
    entries = {entry.reference: " ".join(lines_of(entry.look)) for entry in annex.rules}
    for rule in shipped.rules_of("allocation", DAY):
        if rule.status != "live":
            continue
        for number in re.findall(r"[<>=] *(-?[0-9.]+)", (Path(shipped.folder) / f"{rule.id}.yaml").read_text()):
            shown = f"{float(number):.0%}" if 0 < float(number) < 1 else number
            said = entries[rule.reference].replace(",", "").replace("reaches as far as here", "0 metres away")
            assert re.search(rf"(?<![\d.]){re.escape(shown)}(?![\d.])", said), (rule.id, number)


def test_a_rule_on_trial_is_named_and_its_condition_is_not_published(shipped: Pack, page: Page) -> None:
    trials = [rule for rule in shipped.rules_of("allocation") if rule.status == "trial"]
    read = {name for rule in shipped.rules_of("allocation") if rule.status == "live" for name in names_in(rule.when)}
    facts = shipped.features_of("allocation")
    assert trials
    for rule in trials:
        assert f"{rule.reference}: {rule.title}" in page.words
        assert words_of(rule.why) not in page.words
        for name in set(names_in(rule.when)) - read:
            assert facts[name].title.lower() not in page.words.lower(), name
    assert "with no effect on anybody" in page.words


def test_a_rule_past_its_review_date_is_not_in_force_and_is_said_to_be_so(shipped: Pack) -> None:
    first = min(rule.review_by for rule in shipped.rules_of("allocation") if rule.status == "trial")
    late = write_annex(shipped, first.replace(year=first.year, month=first.month + 1, day=1), COUNCIL)
    assert late.trials == ()
    assert [reference for reference, _ in late.lapsed] == ["A-09", "A-11", "A-18", "A-20"]
    assert "Rules not in force" in render_annex(late)
    assert "Rules not in force" not in render_annex(write_annex(shipped, DAY, COUNCIL))


def test_a_day_on_which_no_rule_is_in_force_gives_no_annex(shipped: Pack) -> None:
    with pytest.raises(RuleError, match="no allocation rule is in force on 2099-01-01"):
        write_annex(shipped, date(2099, 1, 1), COUNCIL)


def test_nothing_internal_is_published(shipped: Pack, page: Page) -> None:
    names = {feature.name for feature in shipped.features.values() if "_" in feature.name}
    names |= {rule.id for rule in shipped.rules.values()} | {feed for feed in shipped.contracts if "_" in feed}
    assert [name for name in names if re.search(rf"\b{name}\b", page.said)] == []
    assert not re.search(r"\bP\d{6}\b|\b\d{10,12}\b|@|/work|/tmp", page.said)
    assert shipped.digest[:12] in page.words
    assert shipped.digest not in page.words


def test_people_are_told_what_is_read_who_decides_and_how_to_ask_for_a_review(shipped: Pack, page: Page) -> None:
    for said in ("It never refuses you a home", "It never changes the order of the list", "A housing officer decides",
                 "section 166A(14)", "section 166A(9)(b)", "section 166A(9)(c)", "section 202", "Within 21 days",
                 "Not known does not mean no", "In force on 23 November 2026", "A, B+, B, C, D"):
        assert said.lower() in page.words.lower(), said
    for factor in shipped.factors:
        assert factor.title in page.words
        assert factor.source in page.words


def test_what_the_annex_promises_never_to_use_is_refused_by_the_rules() -> None:
    forbidden = read_document(RULES / "forbidden.yaml")
    for key in ("F-01", "F-02", "F-03", "F-04", "F-07", "F-18"):
        assert forbidden[key]["action"] == "refuse", key
        assert "allocation" in forbidden[key].get("subjects", ["allocation"]), key


# --- which records are read -----------------------------------------------------------------------


def test_every_feed_a_rule_in_force_reads_is_named_with_its_agency_and_its_law(shipped: Pack, annex: Annex) -> None:
    facts = shipped.features_of("allocation")
    listed = {source.title: source for source in annex.sources}
    for rule in shipped.rules_of("allocation", DAY):
        if rule.status == "live":
            for feed in {feed for name in names_in(rule.when) for feed in facts[name].feeds}:
                assert rule.reference in listed[shipped.contracts[feed].title].rules
                assert listed[shipped.contracts[feed].title].law == shipped.contracts[feed].gateway
    kept_apart = listed[shipped.contracts["keep_apart"].title]
    assert kept_apart.rules == ("A-03", "A-07", "A-08", "A-24")
    assert {"Rent accounts", "School attendance and exclusion summaries"}.isdisjoint(listed)


@pytest.mark.parametrize(("title", "days", "said"), [
    ("Tenancies", 1095, "1095 days (3 years)"),
    ("Police incidents and crimes", 730, "730 days (2 years)"),
    ("Environmental health reports", 90, "90 days"),
    ("Homes and their attributes", None, "as it stands on the day"),
])
def test_records_are_said_to_go_back_as_far_as_the_furthest_fact(
    annex: Annex, title: str, days: int | None, said: str
) -> None:
    assert {source.title: source.days for source in annex.sources}[title] == days
    assert said in Page(render_annex(annex)).words


def test_what_needs_special_care_names_the_rules_that_read_it(annex: Annex) -> None:
    cares = {care.title: (care.sensitivity, care.rules) for care in annex.cares}
    assert cares["Uses a wheelchair at home"] == ("special", ("A-16",))
    assert cares["Corroborated anti-social behaviour in two years"] == ("criminal", ("A-15",))
    assert cares["A place of somebody to be kept apart from"][1] == (
        "A-03", "A-07", "A-08", "A-24")


def test_only_questions_an_applicant_can_answer_are_listed(shipped: Pack, annex: Annex) -> None:
    asked = {fact.ask: fact.ask_of for fact in shipped.features_of("allocation").values() if fact.ask}
    assert annex.questions
    assert {asked[question] for question in annex.questions} == {"applicant"}


# --- words that follow the rules ------------------------------------------------------------------


def test_a_changed_threshold_changes_the_annex(changed: Callable[[str, str, str], Annex], annex: Annex) -> None:
    after = changed("allocation/support-school-or-care-severed.yaml", "travel_minutes > 45", "travel_minutes > 50")
    for write in (render_annex, write_markdown):
        assert "more than 45 minutes" in write(annex)
        assert "more than 45 minutes" not in write(after)
        assert "more than 50 minutes" in write(after)
    assert after.version != annex.version


def test_a_changed_distance_to_people_kept_apart_changes_the_annex(changed: Callable[[str, str, str], Annex]) -> None:
    after = changed("allocation/witness-beside-party.yaml", "metres < 500", "metres < 750")
    entry = next(entry for entry in after.rules if entry.reference == "A-08")
    assert "is under 750 metres away" in entry.look.text


def test_a_rule_put_on_trial_leaves_the_annex_but_for_its_name(changed: Callable[[str, str, str], Annex]) -> None:
    after = changed("allocation/access-mismatch.yaml", "status: live", "status: trial")
    assert ("A-16", "Home that a wheelchair user cannot use") in after.trials
    assert "Uses a wheelchair at home" not in render_annex(after).split("What the words mean")[0].replace("&#39;", "'")
    assert "A-16" not in {entry.reference for entry in after.rules}


@pytest.mark.parametrize(("written", "lines"), [
    ({"all": ["applicant_wheelchair is true", {"any": ["property_floor > 0", "property_access == none"]}]},
     ["All of these:", "Uses a wheelchair at home", "Any one of these:",
      "Floor of the front door (0 is the ground floor): more than 0", "Step-free access to the home is none"]),
    ({"all": ["applicant_wheelchair is true"]}, ["Uses a wheelchair at home"]),
    ("settle_plan is false", ["Recorded as “no”: a settling-in plan is agreed"]),
    ("settle_plan is missing", ["Not known: a settling-in plan is agreed"]),
    ("settle_plan is known", ["Known: a settling-in plan is agreed"]),
    ({"not": {"any": ["settle_plan is true", "property_floor > 3"]}},
     ["This does not hold:", "Any one of these:", "A settling-in plan is agreed",
      "Floor of the front door (0 is the ground floor): more than 3"]),
    ({"at_least": 3, "of": [{"points": 2, "when": "settle_plan is true"}, {"points": 1, "when": "property_floor > 3"}]},
     ["Together at least 3 points from these:", "(2 points) A settling-in plan is agreed",
      "(1 point) Floor of the front door (0 is the ground floor): more than 3"]),
    ({"exists": {"in": "keep_apart_places", "where": {"all": ["kind == da", "metres < 1000"]}, "within": "90d"}},
     ["A place of somebody to be kept apart from (domestic abuse) is under 1,000 metres away in the last 90 days"]),
])
def test_a_condition_is_broken_into_lines(shipped: Pack, written: object, lines: list[str]) -> None:
    look = break_down(read_condition(written), shipped.features_of("allocation"), shipped.rules)
    assert list(lines_of(look)) == lines


def test_every_clause_of_a_rule_in_force_stands_on_a_line_of_its_own(shipped: Pack, annex: Annex) -> None:
    facts = shipped.features_of("allocation")
    entries = {entry.reference: list(lines_of(entry.look)) for entry in annex.rules}
    for rule in shipped.rules_of("allocation", DAY):
        for clause in walk(rule.when) if rule.status == "live" else ():
            if isinstance(clause, Compare) and clause.value is not False:
                phrase = say(clause, facts).replace(": is ", " is ")
                assert phrase.lower() in [line.lower() for line in entries[rule.reference]]


# --- the two files --------------------------------------------------------------------------------


def test_headings_go_down_one_step_at_a_time(page: Page) -> None:
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))


def test_both_files_have_the_same_headings(annex: Annex) -> None:
    html, markdown = Page(render_annex(annex)), Page(read_markdown(write_markdown(annex)))
    assert html.headings == markdown.headings


def test_the_page_can_be_read_by_anybody(annex: Annex) -> None:
    page = Page(render_annex(annex))
    assert page.all("html") == [{"lang": "en-GB"}]
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}
    ids = [str(attributes["id"]) for _, attributes in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(link["href"]) for link in page.all("a")} <= {f"#{one}" for one in ids}
    assert {found["aria-labelledby"] for _, found in page.found if "aria-labelledby" in found} <= set(ids)
    assert len(page.all("caption")) == len(page.all("table"))
    assert {heading["scope"] for heading in page.all("th")} == {"row", "col"}


def test_the_page_fetches_nothing_runs_nothing_and_may_be_found(annex: Annex) -> None:
    text = render_annex(annex)
    page = Page(text)
    assert not {tag for tag, _ in page.found} & {"script", "link", "img", "iframe", "form"}
    names = {name for _, attributes in page.found for name in attributes}
    assert not [name for name in names if name in ("src", "style") or name.startswith("on")]
    assert not re.search(r"https?:|url\(", text)
    assert "default-src 'none'" in text
    assert "noindex" not in text
    assert "@media print" in text


def test_the_same_rules_and_day_give_the_same_bytes(shipped: Pack, annex: Annex) -> None:
    again = write_annex(read_pack(shipped.folder), DAY, COUNCIL)
    assert render_annex(again) == render_annex(annex)
    assert write_markdown(again) == write_markdown(annex)


@pytest.mark.parametrize("nasty", [
    "<script>alert(1)</script>", "**bold** _low_ [a](https://example.org) | cell", "# Heading", "- point", "1. one",
    "&lt;b&gt;", "`code`", "![x](y)", "> said", "a\n\n# b", "~~gone~~", "+ plus", "=== under",
])
def test_what_anybody_wrote_stays_text_in_both_files(annex: Annex, nasty: str) -> None:
    first, *others = annex.rules
    entry = replace(first, title=nasty, why=nasty, authority=nasty, look=Look(nasty), owner=nasty,
                    respond=(replace(first.respond[0], text=nasty),))
    told = replace(annex, council=nasty, rules=(entry, *others), trials=(("T", nasty),), questions=(nasty,))
    plain = replace(annex, rules=(replace(entry, title="x", why="x", authority="x", look=Look("x"), owner="x",
                                          respond=(replace(first.respond[0], text="x"),)), *others),
                    trials=(("T", "x"),), council="x", questions=("x",))
    for write in (lambda one: render_annex(one), lambda one: read_markdown(write_markdown(one))):
        page = Page(write(told))
        assert [tag for tag, _ in page.found] == [tag for tag, _ in Page(write(plain)).found]
        assert page.words.count(words_of(nasty)) >= 7


# --- the command ----------------------------------------------------------------------------------


def publish(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["publish-pack", "--out", str(folder), "--as-of", "2026-11-23", *words])


def test_publishing_writes_a_page_and_markdown_and_says_so(tmp_path: Path, annex: Annex) -> None:
    said = publish(tmp_path / "new" / "published", "--council", COUNCIL)
    assert said.exit_code == 0
    assert f"{len(annex.rules)} rules in force on 23 November 2026" in said.stdout
    assert "Next:" in said.stdout
    folder = tmp_path / "new" / "published"
    assert sorted(path.name for path in folder.iterdir()) == ["allocation-annex.html", "allocation-annex.md"]
    assert (folder / "allocation-annex.html").read_bytes() == render_annex(annex).encode()
    assert (folder / "allocation-annex.md").read_bytes() == write_markdown(annex).encode()


def test_the_same_annex_may_be_written_again_and_another_only_by_force(tmp_path: Path) -> None:
    assert publish(tmp_path, "--council", COUNCIL).exit_code == 0
    before = (tmp_path / "allocation-annex.md").read_bytes()
    assert publish(tmp_path, "--council", COUNCIL).exit_code == 0
    refused = publish(tmp_path, "--council", "Elsewhere District Council")
    assert refused.exit_code == 2
    assert "another annex stands here" in unstyle(refused.output)
    assert "--force" in unstyle(refused.output)
    assert (tmp_path / "allocation-annex.md").read_bytes() == before
    assert publish(tmp_path, "--council", "Elsewhere District Council", "--force").exit_code == 0
    assert "Elsewhere District Council" in (tmp_path / "allocation-annex.md").read_text(encoding="utf-8")


def test_nothing_is_written_where_one_of_the_two_would_be_lost(tmp_path: Path) -> None:
    (tmp_path / "allocation-annex.md").write_text("Adopted by the cabinet in 2025.\n")
    assert publish(tmp_path).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["allocation-annex.md"]
    assert (tmp_path / "allocation-annex.md").read_text() == "Adopted by the cabinet in 2025.\n"


@pytest.mark.parametrize("council", ["", "   ", "Two\nlines"])
def test_a_council_without_a_name_gives_helpful_error(tmp_path: Path, council: str) -> None:
    said = publish(tmp_path / "out", "--council", council)
    assert said.exit_code == 2
    assert "--council: not a name" in unstyle(said.output)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_gives_helpful_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    said = publish(tmp_path / "out")
    assert said.exit_code == 5
    assert "cannot be read or written" in unstyle(said.output)
