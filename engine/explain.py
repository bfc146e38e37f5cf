"""A chosen subject -> its flag: everything an officer needs to check, question and overrule it.

Made once, when the flag is made, from the evaluator's own tree; stored with the flag and never changed.
Everyone was judged in columns; here the same values and outcomes are worked out again by hand for the few, and by
durable-rules a third time. A disagreement stops the run: one of them would be somebody else's truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.account import account_for
from engine.condition import (
    Compare,
    Exists,
    Known,
    Outcome,
    exists_in,
    names_in,
    rules_in,
)
from engine.errors import Problem, RunError
from engine.evaluate import Case, State, Step, evaluate
from engine.evidence import Evidence
from engine.feature import Feature
from engine.flag import Axis, CardAccount, Fact, Flag, Question, Reason, Record
from engine.lapse import find_decline, find_lapse
from engine.lists import Entry, live_rules
from engine.pack import Pack
from engine.prose import join_words, name_agency, name_table, say
from engine.reasoning import compile_pack, cross_check
from engine.reasons import find_minimal, find_near_miss, find_unknown
from engine.recount import Counted
from engine.rule import Rule
from engine.schema import Subject
from engine.tally import Answer
from engine.trace import end_sentence, same, say_leaf, show_fact, show_leaf, write_node

Row = Mapping[str, Any]

CONTEST = ("Anyone named here, or someone speaking for them, may say that a fact is wrong or that it does not mean "
           "what it seems to. Tell the community safety team; the fact is marked disputed, becomes “not known”, the "
           "list is made again, and everyone who was told is told again.")

DOES_NOT = {
    "people": "It decides nothing and refuses nobody anything. Being harmed and causing harm are never added up.",
    "places": "It speaks of a place. Nothing in it may be carried over to anyone who lives there.",
    "allocations": "It is not a refusal. It says what to find out or put in place before an offer.",
}


@dataclass(frozen=True)
class Told:
    """A flag, and apart from it what is for analysts alone: rules that nearly fired, and cards on trial."""

    flag: Flag
    near_misses: tuple[str, ...]
    on_trial: tuple[CardAccount, ...]


def explain(
    entry: Entry, row: Row, evidence: Evidence, pack: Pack, subject: Subject, digests: Mapping[str, str],
    freshness: Mapping[str, str], answers: Sequence[Answer] = (),
) -> Told:
    """The flag of one entry, and what analysts are told beside it.

    `row` is its judged row; `freshness` says, per feed not up to date, how late; `answers` what score cards say of it.
    Raises RunError if the row's values, outcomes or totals differ from those worked out by hand.
    """
    features = pack.features_of(subject)
    rules = pack.rules_of(subject, evidence.world.as_of)
    counted = {f.name: evidence.count(f, entry.subject) for f in features.values()}
    _check_values(entry, row, features, counted)
    steps = _evaluate(entry, row, rules, evidence, subject, features)
    _check_outcomes(entry, row, steps)
    _check_totals(entry, row, answers)
    fired = [r for r in live_rules(pack, subject, evidence.world.as_of) if steps[r.id].state is True]
    fired.sort(key=lambda r: (-r.points, r.id))
    reasons = tuple(_reason(r, steps[r.id], entry, row, features, counted, pack) for r in fired)
    in_force = [each for each in answers if each.in_force]
    facts = _facts(fired, in_force, features, row, counted, pack)
    told = {each.card.name: _account(each, row, entry.subject, evidence, features, counted) for each in answers}
    cards = tuple(told[each.card.name] for each in in_force)
    questions = _questions(pack, subject, evidence, steps, features)
    lapse = find_lapse(entry, row, fired, evidence, pack, subject, answers)
    flag = Flag(
        id=f"{entry.subject}@{evidence.world.as_of}", as_of=evidence.world.as_of, list=entry.list,
        subject=entry.subject, name=entry.name, band=entry.band, status=entry.status, change=entry.change,
        paragraph=_paragraph(entry, reasons, cards, questions, lapse),
        axes=tuple(Axis(a.axis, a.points, a.before, a.reduced, a.band, a.floor, a.card, a.parts) for a in entry.axes),
        reasons=reasons, cards=cards, facts=facts, records=_records(facts, counted, pack),
        against=_against(entry, row, facts, counted, pack, evidence), questions=questions, lapse=lapse,
        convene=_convene(fired, in_force),
        respond=tuple(dict.fromkeys(resp for step in ("support", "agree", "enforce")
                                    for r in fired for resp in r.respond if resp.step == step)),
        routing=_routing(entry, row, facts, counted, pack, subject),
        late_feeds=tuple(f"{feed}: {text}" for feed, text in sorted(freshness.items())),
        contest=CONTEST, does_not=DOES_NOT[entry.list], digests=dict(digests))
    return Told(flag, _near_misses(pack, subject, evidence, steps, features),
                tuple(told[each.card.name] for each in answers if not each.in_force))


# --- checking one implementation against the other -----------------------------------------------


def _check_values(
    entry: Entry, row: Row, features: Mapping[str, Feature], counted: Mapping[str, Counted]
) -> None:
    wrong = [name for name, feature in features.items()
             if feature.table is not None and feature.statistic is None
             and not same(row.get(name), counted[name].value)]
    if wrong:
        raise RunError([Problem(f"{entry.subject}: {name}", "columns and the count by hand disagree",
                                "the same value from both", "do not use this run; report it as a defect")
                        for name in wrong])


def _check_outcomes(entry: Entry, row: Row, steps: Mapping[str, Step]) -> None:
    wrong = [rule for rule, step in steps.items() if row.get(f"rule:{rule}") is not step.state]
    if wrong:
        raise RunError([Problem(f"{entry.subject}: {rule}", "columns and evaluator disagree",
                                "the same outcome from both", "do not use this run; report it as a defect")
                        for rule in wrong])


def _check_totals(entry: Entry, row: Row, answers: Sequence[Answer]) -> None:
    """A column holds no total where a card is silent for all, or not meant; where it holds one it is this one."""
    wrong = [each.card.name for each in answers
             if (seen := row.get(f"card:{each.card.name}")) is not None and seen != each.counted.total]
    if wrong:
        raise RunError([Problem(f"{entry.subject}: {card}", "columns and the points added by hand disagree",
                                "the same total from both", "do not use this run; report it as a defect")
                        for card in wrong])


def _evaluate(
    entry: Entry, row: Row, rules: Sequence[Rule], evidence: Evidence, subject: Subject, features: Mapping[str, Feature]
) -> dict[str, Step]:
    outcomes: dict[str, State] = {}
    steps: dict[str, Step] = {}
    related = {b: evidence.related(b, subject, entry.subject) for rule in rules for b in exists_in(rule.when)}
    for rule in rules:
        steps[rule.id] = evaluate(rule.when, Case(row, outcomes, related))
        outcomes[rule.id] = steps[rule.id].state
    # The third way: durable-rules reasons about the case on its own, and must fire exactly the same rules.
    reasoner = compile_pack(rules, {feature.name: feature.about for feature in features.values()})
    cross_check(reasoner.reason(Case(row, {}, related)), steps)
    return steps


# --- the parts of a flag --------------------------------------------------------------------------


def _reason(
    rule: Rule, step: Step, entry: Entry, row: Row, features: Mapping[str, Feature],
    counted: Mapping[str, Counted], pack: Pack,
) -> Reason:
    part = next((p for axis in entry.axes for p in axis.parts if p.rule == rule.id), None)
    values = {name: show_fact(row.get(name), feature, bare=True) for name, feature in features.items()}
    return Reason(
        rule=rule.id, reference=rule.reference, title=rule.title, axis=rule.axis, theme=rule.theme,
        because=rule.because.format_map(values), why=rule.why, points=rule.points,
        counted_points=part.faded if part else 0.0, floor=rule.floor, authority=rule.authority,
        threshold=rule.evidence, owner=rule.owner, review_by=rule.review_by,
        result=rule.result, level=rule.level, factor=rule.factor,
        tree=write_node(step, features, counted, pack),
        enough=tuple(say_leaf(leaf, features, pack) for leaf in find_minimal(step)))


def _account(
    given: Answer, row: Row, subject: str, evidence: Evidence, features: Mapping[str, Feature],
    counted: Mapping[str, Counted],
) -> CardAccount:
    """What one card says, with the records behind each factor and the day on which time alone would lower it."""
    records = {factor.fact: tuple(dict.fromkeys(r["record"] for r in counted[factor.fact].rows))
               for factor in given.card.factors}
    return account_for(given.card, given.counted, features, records,
                       find_decline(given, row, subject, evidence, features))


def _convene(fired: Sequence[Rule], cards: Sequence[Answer]) -> tuple[str, ...]:
    """Whom the fired rules bring together, then whom the cards that lift it do."""
    named = [agency for rule in fired for agency in rule.convene]
    named += [agency for each in cards if each.band is not None and each.card.answer is not None
              for agency in each.card.answer.convene]
    return tuple(dict.fromkeys(named))


def _facts(
    fired: Sequence[Rule], cards: Sequence[Answer], features: Mapping[str, Feature], row: Row,
    counted: Mapping[str, Counted], pack: Pack,
) -> tuple[Fact, ...]:
    names = dict.fromkeys([name for rule in fired for name in _read_by(rule, pack)]
                          + [factor.fact for each in cards for factor in each.card.factors])
    return tuple(
        Fact(name, features[name].title, show_fact(row.get(name), features[name]), features[name].window,
             tuple(name_agency(a) for a in features[name].agency),
             () if features[name].confidential else
             tuple(dict.fromkeys(r["record"] for r in counted[name].rows)), counted[name].disputed,
             features[name].changeable)
        for name in names)


def _read_by(rule: Rule, pack: Pack) -> list[str]:
    """The facts a rule reads, through the rules it follows from."""
    names = list(names_in(rule.when))
    for other in rules_in(rule.when):
        names += _read_by(pack.rules[other], pack)
    return names


def _records(facts: Sequence[Fact], counted: Mapping[str, Counted], pack: Pack) -> tuple[Record, ...]:
    named = {record for fact in facts for record in fact.records}
    found = {r["record"]: r for fact in facts for r in counted[fact.name].rows if r["record"] in named}
    records = [Record(record, record.split(":", 1)[0], row.get("occurred"), row["known"],
                      _what(row, pack),
                      row.get("evidence"), row.get("role"))
               for record, row in found.items()]
    return tuple(sorted(records, key=lambda r: (r.known, r.record), reverse=True))


def _what(row: Row, pack: Pack) -> str | None:
    """What a record is, in words. Which need or which social care involvement it is stays with the agency."""
    if row.get("category") in pack.categories:
        return pack.categories[row["category"]].label
    if row.get("code") or row.get("flag"):
        return "support need" if row.get("code") else "social care involvement"
    return str(row["kind"]).replace("_", " ") if row.get("kind") else None


def _against(
    entry: Entry, row: Row, facts: Sequence[Fact], counted: Mapping[str, Counted], pack: Pack,
    evidence: Evidence,
) -> tuple[str, ...]:
    """What speaks for the subject, or for caution; shown beside the reasons, never below the fold."""
    said = [f"{p.title} (points less {p.reduce:.0%})" for p in pack.protections
            if row.get(f"protection:{p.id}") is True]
    records = _records(facts, counted, pack)
    feeds = {r.feed for r in records}
    if len(feeds) == 1:
        said.append(f"Every record behind this comes from one source: {pack.contracts[feeds.pop()].title}.")
    if records:
        quiet = (evidence.world.as_of - records[0].known).days
        if quiet >= 28:
            said.append(f"Nothing new has been recorded for {quiet} days.")
    if any(r.evidence is not None and r.evidence <= 1 for r in records):
        alone = sum(1 for r in records if r.evidence is not None and r.evidence <= 1)
        said.append(f"{alone} of the {len(records)} records rest on a single report that nobody has corroborated.")
    return tuple(said)


def _questions(
    pack: Pack, subject: Subject, evidence: Evidence, steps: Mapping[str, Step], features: Mapping[str, Feature]
) -> tuple[Question, ...]:
    """What was not known, which agency could settle it, and which rule waits for it; heaviest rule first."""
    questions = []
    for rule in sorted(live_rules(pack, subject, evidence.world.as_of), key=lambda r: (-r.points, r.id)):
        leaves = find_unknown(steps[rule.id])
        names = [leaf.condition.name for leaf in leaves if isinstance(leaf.condition, Compare | Known)]
        known = [features[n] for n in dict.fromkeys(names) if n in features]
        tables = dict.fromkeys(leaf.condition.table for leaf in leaves if isinstance(leaf.condition, Exists))
        waiting = [leaf.condition.rule for leaf in leaves if isinstance(leaf.condition, Outcome)]
        agencies = [a for f in known for a in f.agency]
        agencies += [pack.contracts[feed].agency for table in tables for feed in evidence.world.feeds_of(table)
                     if feed in pack.contracts]
        if leaves:
            questions.append(Question(
                rule.id, rule.title, tuple(f.title for f in known) + tuple(map(name_table, tables)),
                tuple(dict.fromkeys(map(name_agency, agencies))), tuple(waiting)))
    return tuple(questions)


def _routing(
    entry: Entry, row: Row, facts: Sequence[Fact], counted: Mapping[str, Counted], pack: Pack, subject: Subject
) -> tuple[str, ...]:
    """Where it goes instead, whom to ask first, and which of these could not be checked."""
    live = any(r.get("live_investigation") for fact in facts for r in counted[fact.name].rows)
    holding = [x for x in pack.exclusions if x.id in entry.exclusions or (live and x.effect == "consent")]
    unchecked = [x for x in pack.exclusions if x.when is not None and x.subject == subject
                 and row.get(f"exclusion:{x.id}") is None]
    return (*(f"{x.title}: {x.route}" if x.route else x.title for x in holding),
            *(f"Could not be checked: {x.title}" for x in unchecked))


def _near_misses(
    pack: Pack, subject: Subject, evidence: Evidence, steps: Mapping[str, Step], features: Mapping[str, Feature]
) -> tuple[str, ...]:
    """Rules one fact away from firing. For tuning rules only: an officer is never shown "almost"."""
    found = []
    for rule in live_rules(pack, subject, evidence.world.as_of):
        leaf = find_near_miss(steps[rule.id])
        if leaf is not None:
            seen = "no such record" if isinstance(leaf.condition, Exists) else show_leaf(leaf, features)
            found.append(f"{rule.id}: {say(leaf.condition, features, pack.rules)} (seen: {seen})")
    return tuple(found)


def _paragraph(
    entry: Entry, reasons: Sequence[Reason], cards: Sequence[CardAccount], questions: Sequence[Question], lapse: str
) -> str:
    said = " ".join(end_sentence(reason.because) for reason in reasons[:3])
    more = len(reasons) - 3
    also = f" {more} more reason{'s' if more > 1 else ''} below." if more > 0 else ""
    also += "".join(f" {each.said}" for each in cards if each.card in entry.cards)
    agencies = list(dict.fromkeys(a for q in questions for a in q.agencies))
    asks = f" Some things are not known; {join_words(agencies[:3])} could say." if agencies else ""
    return f"{said}{also}{asks} {lapse}".strip()


