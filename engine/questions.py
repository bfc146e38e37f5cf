"""Rules that an answer could change -> the fewest facts to ask for before deciding, then those that may matter later.

The result of a screening is the set of live rules that hold. Answers can change it in two ways: a rule that cannot
tell comes to hold, or a rule stops holding that holds only because something is missing (nobody has assessed the
needs: an assessment made now ends that). The questions to ask now are the fewest facts that contain, for every rule
that answers alone could change so, a set of facts that could (see `settling`). Whatever else could settle a rule that
cannot tell, either way, comes later; so does what else could help a rule to stop holding.

A set with something that nobody can be asked, a fact without `ask` or a block of records that is late, is never
asked for now. Of a rule that cannot tell, what can be asked of it comes later: it cannot make the rule hold, but may
still settle that it does not. Of a rule that holds it is left out, for the rule would hold as before.

A rule that does not hold is not asked about. What cannot change any rule is never asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from engine.evaluate import Step
from engine.feature import Feature
from engine.prose import name_agency
from engine.rule import Rule
from engine.screening import Level, Question
from engine.settling import Facts, find_settling

WEIGHTS: Mapping[Level, int] = {"hard": 100, "soft": 10, "info": 1}
"""What an answer weighs, by the level of a rule it could change. A judgement: a hard conflict stops an offer until a
manager has signed, a soft one is for the applicant to weigh, and information stops nothing; nine of one never
outweigh one of the next."""

MOST_TRIES = 2_000
"""Choices tried for rules that share facts; after that the fewest found so far are taken, at worst the greedy ones."""

Sets = tuple[Facts, ...]
Cost = Callable[[Facts], tuple[int, int, list[str]]]


def choose_questions(
    rules: Sequence[Rule], steps: Mapping[str, Step], features: Mapping[str, Feature]
) -> tuple[Question, ...]:
    """What to ask about the live `rules`: now first, then what could change most, then by name.

    `steps` by rule id has the tree of every rule, also of those that others follow from; `features` by name.
    """
    found = [(rule, find_settling(steps[rule.id], steps, features)) for rule in rules
             if steps[rule.id].state is not False]
    changes: dict[str, list[Rule]] = {}
    for rule, settling in found:
        for fact in settling.facts:
            changes.setdefault(fact, []).append(rule)
    weights = {fact: sum(map(_weigh, changes[fact])) for fact in sorted(changes)}
    now = choose_fewest(tuple(s.sets for _, s in found if s.sets), tuple(weights.items()))
    ordered = sorted(changes, key=lambda fact: (fact not in now, -weights[fact], fact))
    return tuple(_ask(features[fact], changes[fact], weights[fact], fact in now) for fact in ordered)


def _weigh(rule: Rule) -> int:
    return WEIGHTS[rule.level or "info"]


def _ask(feature: Feature, rules: Sequence[Rule], weight: int, now: bool) -> Question:
    assert feature.ask_of is not None       # only facts somebody can be asked for get this far
    heaviest = sorted(rules, key=lambda rule: (-_weigh(rule), rule.title))
    return Question(
        fact=feature.name, ask=feature.ask, of=feature.ask_of, agencies=tuple(map(name_agency, feature.agency)),
        type=feature.type, values=feature.values, weight=weight, could_change=tuple(rule.title for rule in heaviest),
        now=now)


# --- the fewest facts for all rules together ----------------------------------------------------


@lru_cache(maxsize=1024)
def choose_fewest(rules: tuple[Sets, ...], weights: tuple[tuple[str, int], ...]) -> Facts:
    """The fewest facts with a whole set for every rule; of equally few the heavier, then the first by name."""
    weight = dict(weights)

    def cost(facts: Facts) -> tuple[int, int, list[str]]:
        return len(facts), -sum(weight[fact] for fact in facts), sorted(facts)

    groups = [_search(group, cost) for group in _separate(dict.fromkeys(rules))]
    return frozenset(fact for facts in groups for fact in facts)


def _separate(rules: Iterable[Sets]) -> list[list[Sets]]:
    """The rules in groups that share no fact, so that each group can be chosen for by itself."""
    groups: list[tuple[Facts, list[Sets]]] = []
    for sets in rules:
        facts = frozenset(fact for one in sets for fact in one)
        touched = [group for group in groups if group[0] & facts]
        groups = [group for group in groups if not group[0] & facts]
        groups.append((facts.union(*(seen for seen, _ in touched)), [*(s for _, g in touched for s in g), sets]))
    return [group for _, group in groups]


def _search(rules: Sequence[Sets], cost: Cost) -> Facts:
    """Every choice of a set for each rule, leaving out those that cannot get below the fewest found."""
    best, seen = _choose_greedily(rules, cost), set[Facts]()

    def extend(chosen: Facts) -> None:
        nonlocal best
        seen.add(chosen)
        waiting = [sets for sets in rules if not any(one <= chosen for one in sets)]
        if not waiting:
            best = min(best, chosen, key=cost)
            return
        if len(chosen) + max(min(len(one - chosen) for one in sets) for sets in waiting) > len(best):
            return
        for one in min(waiting, key=len):
            if chosen | one not in seen and len(seen) < MOST_TRIES:
                extend(chosen | one)

    extend(frozenset())
    return best


def _choose_greedily(rules: Sequence[Sets], cost: Cost) -> Facts:
    """One set after another: the one with the fewest new facts for each rule it serves."""
    chosen: Facts = frozenset()
    waiting = list(rules)
    while waiting:
        options = {chosen | one for sets in waiting for one in sets}
        served = {new: sum(any(one <= new for one in sets) for sets in waiting) for new in options}
        chosen = min(options, key=lambda new: ((len(new) - len(chosen)) / served[new], cost(new)))
        waiting = [sets for sets in waiting if not any(one <= chosen for one in sets)]
    return chosen
