"""The annex -> Markdown, for a council's own publishing system. What anybody wrote stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from api import annex_words as own
from api.annex_words import LEVELS, RESULTS, Passage
from api.words import DIGEST_LENGTH, say_day
from engine.annex import Annex, Entry, Location
from engine.clauses import Look

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|&~])")
_OPENING = re.compile(r"^(\d+)([.)])|^([-+=:])")


def write_markdown(annex: Annex) -> str:
    """The whole annex, the same for the same rules and day, byte for byte."""
    lines = [f"# {own.TITLE}", "",
             f"Annex to the allocation scheme of {_plain(annex.council)}. In force on {say_day(annex.as_of)}. "
             f"Version `{annex.version[:DIGEST_LENGTH]}`.", ""]
    for passage in (*own.introduce(annex), own.explain_order(annex)):
        lines += _passage(passage)
    lines += _records(annex)
    for passage in own.explain_rights(annex):
        lines += _passage(passage)
    lines += _answers()
    lines += _locations(annex.locations)
    lines += ["## The rules in force", "", f"There are {len(annex.rules)}. {own.READ}", ""]
    lines += _table(("Rule", "What it is about", "What happens", "How firm it is"), (
        (rule.reference, rule.title, RESULTS[rule.result][0], LEVELS[rule.level][0]) for rule in annex.rules))
    for rule in annex.rules:
        lines += _rule(rule)
    lines += _named("Rules being tried", own.TRIED, annex.trials)
    lines += _named("Rules not in force", own.LAPSED, annex.lapsed)
    lines += ["## What the words mean", ""]
    lines += _table(("Word", "What it means"), own.TERMS)
    return "\n".join(lines).rstrip() + "\n"


# --- inside -------------------------------------------------------------------------------------


def _records(annex: Annex) -> list[str]:
    lines = ["## Which records are looked at", "",
             own.RECORDS, ""]
    lines += _table(own.SOURCE_HEADS, own.list_sources(annex))
    lines += [own.CARE, "", *_table(own.CARE_HEADS, own.list_cares(annex))]
    if annex.questions:
        lines += ["### What you may be asked", "",
                  own.ASKED, ""]
        lines += _points(annex.questions)
    return lines


def _answers() -> list[str]:
    lines = ["## What the check can say", ""]
    lines += _table(("What happens", "What it means"), RESULTS.values())
    return lines + _table(("How firm it is", "What it means"), LEVELS.values())


def _locations(locations: Sequence[Location]) -> list[str]:
    if not locations:
        return []
    lines = ["## Where the home is", "",
             own.LOCATION, ""]
    for location in locations:
        lines += [f"### {_plain(location.title)}", "", _plain(location.why), ""]
        if location.applies:
            lines += ["Looked at when:", "", *_look(location.applies), ""]
        lines += ["It is checked by:", "", *_points(location.facts), f"The law: {_plain(location.law)}.", ""]
    return lines


def _rule(rule: Entry) -> list[str]:
    return [f"### {_plain(rule.reference)}: {_plain(rule.title)}", "", _plain(rule.why), "",
            "#### When it applies", "", *_look(rule.look), "",
            "#### What happens", "", f"**{RESULTS[rule.result][0]}.** {LEVELS[rule.level][0]}.", "",
            "#### What may be offered", "", *_points(own.list_responses(rule)),
            "#### Where it comes from", "", *_points(own.list_grounds(rule))]


def _named(title: str, said: str, rules: tuple[tuple[str, str], ...]) -> list[str]:
    return [f"## {title}", "", said, "", *_points(own.name_rules(rules))] if rules else []


def _passage(passage: Passage) -> list[str]:
    lines = [f"## {_plain(passage.title)}", ""]
    for paragraph in passage.paragraphs:
        lines += [_plain(paragraph), ""]
    return lines + (_points(passage.points) if passage.points else [])


def _points(texts: Iterable[str]) -> list[str]:
    return [*(f"- {_plain(text)}" for text in texts), ""]


def _look(look: Look, depth: int = 0) -> list[str]:
    return ["  " * depth + f"- {_plain(look.text)}", *(line for part in look.parts for line in _look(part, depth + 1))]


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(headers) + " |", "|" + " --- |" * len(headers)]
    return [*lines, *("| " + " | ".join(map(_plain, row)) + " |" for row in rows), ""]


def _plain(text: str) -> str:
    """Text on one line in which no letter is markup."""
    marked = _MARKS.sub(r"\\\1", " ".join(text.split()))
    return _OPENING.sub(lambda found: rf"{found[1]}\{found[2]}" if found[1] else rf"\{found[3]}", marked)
