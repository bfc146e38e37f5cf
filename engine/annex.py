"""The pack in force on a day -> the allocation rules as plain values, for the annex a council publishes.

Nothing here is written for the annex alone: conditions, titles, numbers and laws come from the rules that are judged
with, so that what is published cannot differ from what is done. It knows no applicant and no home, and gives no
distance but the thresholds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from engine.clauses import Look, break_down, say_first
from engine.condition import Condition, Exists, exists_in, names_in, rules_in
from engine.errors import Problem, RuleError
from engine.feature import Feature
from engine.pack import Pack
from engine.prose import name_agency, name_table
from engine.rule import OrderFactor, Response, Rule
from engine.world import TABLE_FEEDS

CAREFUL = ("special", "criminal")
"""Sensitivities the law asks most care with: health, beliefs and harm suffered; crime and court orders."""

_CAREFUL_TABLES = {"keep_apart_places": "special", "order_zones": "criminal"}
"""Facts declare how sensitive they are; the tables that rules look into by `exists` have it here."""


@dataclass(frozen=True)
class Entry:
    """One rule in force, as it is published."""

    reference: str
    title: str
    why: str
    look: Look
    result: str
    level: str
    respond: tuple[Response, ...]       # support first
    authority: str
    factor: str
    evidence: str
    owner: str
    review_by: date


@dataclass(frozen=True)
class Source:
    """One set of records that a rule in force reads; `days` how far back, None where only today's state counts."""

    title: str
    agency: str
    law: str
    days: int | None
    rules: tuple[str, ...]              # references


@dataclass(frozen=True)
class Care:
    """A fact to be taken most care with, and the rules in force that read it."""

    title: str
    sensitivity: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Location:
    """One thing about where a home is that the law names: when it is looked at, and by which facts."""

    title: str
    law: str
    why: str
    applies: Look | None
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Annex:
    """Everything that is published. `version` is the digest of all rules."""

    council: str
    as_of: date
    version: str
    rules: tuple[Entry, ...]
    trials: tuple[tuple[str, str], ...]         # reference and title, and nothing more: they decide nothing
    lapsed: tuple[tuple[str, str], ...]         # past their review date, so not in force
    sources: tuple[Source, ...]
    cares: tuple[Care, ...]
    questions: tuple[str, ...]                  # what an applicant may be asked
    locations: tuple[Location, ...]
    bands: tuple[str, ...]


def write_annex(pack: Pack, as_of: date, council: str) -> Annex:
    """The allocation rules in force on a day. Raises RuleError where there are none."""
    current = pack.rules_of("allocation", as_of)
    live = sorted((rule for rule in current if rule.status == "live"), key=_place)
    if not live:
        raise RuleError(Problem(str(pack.folder / "allocation"), f"no allocation rule is in force on {as_of}",
                                "at least one live rule that is not past its review date",
                                "an annex without rules would say that nothing is looked at"))
    ended = [rule for rule in pack.rules_of("allocation") if rule.expired(as_of)]
    readers = _readers(pack, live)
    return Annex(
        council=council, as_of=as_of, version=pack.digest,
        rules=tuple(_entry(pack, rule) for rule in live),
        trials=_names(rule for rule in current if rule.status == "trial"), lapsed=_names(ended),
        sources=_sources(pack, live, readers),
        cares=_cares(pack, live, readers),
        questions=tuple(sorted({f.ask for f in readers if f.ask and f.ask_of == "applicant"})),
        locations=tuple(_location(pack, factor) for factor in pack.factors),
        bands=tuple(band.replace("_plus", "+").replace("_", " ") for band in pack.policy.scheme.bands))


# --- inside -------------------------------------------------------------------------------------


def _place(rule: Rule) -> tuple[str, str]:
    return rule.reference, rule.id


def _names(rules: Iterable[Rule]) -> tuple[tuple[str, str], ...]:
    return tuple((rule.reference, rule.title) for rule in sorted(rules, key=_place))


def _entry(pack: Pack, rule: Rule) -> Entry:
    return Entry(rule.reference, rule.title, rule.why, _look(rule.when, pack), rule.result or "", rule.level or "",
                 rule.respond, rule.authority, rule.factor or "", rule.evidence, rule.owner, rule.review_by)


def _location(pack: Pack, factor: OrderFactor) -> Location:
    facts = pack.features_of("allocation")
    return Location(factor.title, factor.source, factor.why,
                    _look(factor.applies, pack) if factor.applies else None,
                    tuple(facts[name].title for name in factor.facts))


def _look(condition: Condition, pack: Pack) -> Look:
    return break_down(condition, pack.features_of("allocation"), pack.rules)


# --- which records are read -----------------------------------------------------------------------


def _whole(condition: Condition, rules: Mapping[str, Rule]) -> list[Condition]:
    """A condition, and those of the rules whose outcome it reads: a circle was refused with the pack."""
    return [condition, *(inner for rule in rules_in(condition) if rule in rules
                         for inner in _whole(rules[rule].when, rules))]


def _readers(pack: Pack, live: Iterable[Rule]) -> dict[Feature, tuple[str, ...]]:
    """Each fact that is read, by name, with the rules that read it; none for one a location factor alone reads."""
    facts = pack.features_of("allocation")
    read: dict[str, list[str]] = {}
    for rule in live:
        for name in {name for condition in _whole(rule.when, pack.rules) for name in names_in(condition)}:
            read.setdefault(name, []).append(rule.reference)
    for factor in pack.factors:
        for name in (*factor.facts, *(names_in(factor.applies) if factor.applies else ())):
            read.setdefault(name, [])
    return {facts[name]: tuple(rules) for name, rules in sorted(read.items())}


def _blocks(pack: Pack, live: Iterable[Rule]) -> list[tuple[Exists, str]]:
    """Each look at related records, with the rule that takes it."""
    return [(block, rule.reference) for rule in live for condition in _whole(rule.when, pack.rules)
            for block in exists_in(condition)]


def _sources(pack: Pack, live: Iterable[Rule], readers: Mapping[Feature, tuple[str, ...]]) -> tuple[Source, ...]:
    """Each feed that is read, whose it is, and the furthest back that any fact of it goes."""
    read = [(feed, _window(fact, pack), rules) for fact, rules in readers.items() for feed in fact.feeds]
    read += [(feed, block.within, (rule,)) for block, rule in _blocks(pack, live)
             for feed in TABLE_FEEDS.get(block.table, (block.table,))]
    found = []
    for feed in {feed for feed, _, _ in read}:
        contract = pack.contracts[feed]
        days = max((window for name, window, _ in read if name == feed and window), default=None)
        rules = {rule for name, _, readers_of in read if name == feed for rule in readers_of}
        found.append(Source(contract.title, name_agency(contract.agency), contract.gateway, days, tuple(sorted(rules))))
    return tuple(sorted(found, key=lambda source: (source.agency, source.title)))


def _cares(pack: Pack, live: Iterable[Rule], readers: Mapping[Feature, tuple[str, ...]]) -> tuple[Care, ...]:
    """What the law asks most care with, of all that rules read: an order's area is as telling as a fact."""
    found = [Care(say_first(fact.title), fact.sensitivity, rules) for fact, rules in readers.items()
             if fact.sensitivity in CAREFUL and rules]
    blocks = _blocks(pack, live)
    for table, sensitivity in _CAREFUL_TABLES.items():
        rules = tuple(sorted({rule for block, rule in blocks if block.table == table}))
        found += [Care(say_first(name_table(table)), sensitivity, rules)] if rules else []
    return tuple(sorted(found, key=lambda care: (care.sensitivity, care.title)))


def _window(fact: Feature, pack: Pack) -> int | None:
    """How many days a fact goes back; one carried from a person or place goes as far as it does there."""
    carried = pack.features.get(fact.carried_from or "")
    return fact.window or (_window(carried, pack) if carried else None)
