"""A card and the pack in force -> whether it may be used: its facts exist, and none is an input that is forbidden.

A card is held to the same list as rules (rules/forbidden.yaml), by the same code and with the same F-codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from engine.card import Card, read_cards
from engine.check import check_named
from engine.condition import Known
from engine.errors import Problem, RuleError
from engine.forbid import find_forbidden, find_forbidden_points, read_forbidden
from engine.pack import Pack
from engine.rule import Response, Rule


def admit_cards(folder: Path, pack: Pack) -> tuple[Card, ...]:
    """The cards in a folder that are not retired, every one fit for the pack. Raises RuleError with every problem."""
    cards = tuple(card for card in read_cards(folder) if card.status != "retired")
    check_cards(cards, pack)
    return cards


def check_cards(cards: Sequence[Card], pack: Pack) -> None:
    """Every card is fit for the pack, whoever read it, and one is live an axis. Raises RuleError with every problem."""
    problems = {problem for card in cards for problem in check_card(card, pack)}
    live = sorted((card for card in cards if card.status == "live"), key=lambda card: card.name)
    problems |= {Problem(card.where, f"`{card.name}` and `{other.name}` are both live on the axis {card.axis} of a "
                                     f"{card.subject}", "one live card an axis", "retire one of them")
                 for n, card in enumerate(live) for other in live[:n]
                 if (card.subject, card.axis) == (other.subject, other.axis)}
    if problems:
        raise RuleError(sorted(problems))


def check_card(card: Card, pack: Pack) -> list[Problem]:
    """What keeps a card out of a pack; none when it fits."""
    if card.subject is None or card.axis is None:
        return [Problem(card.where, f"card `{card.name}` is about no subject", "a subject and an axis",
                        "only a card about a person, a place or an allocation is used in a run")]
    features = pack.features_of(card.subject)
    whose = f"the card `{card.name}` on a {card.subject}"
    problems = [problem for factor in card.factors for each in factor.bins
                for problem in check_named(each.when, features, factor.where, whose, pack.tables)]
    asked = [*([card.applies] if card.applies is not None else []), *(Known(need.fact) for need in card.needs)]
    problems += [p for each in asked for p in check_named(each, features, card.where, whose, pack.tables)]
    problems += _check_kinds(card, pack)
    problems += [Problem(factor.where, f"`{factor.fact}` is held back, and its points would tell it",
                         "a fact whose value may be shown", "leave a distance to somebody kept apart to the rules")
                 for factor in card.factors if factor.fact in features and features[factor.fact].confidential]
    return sorted(set(problems)) or _find_forbidden(card, pack)


def _check_kinds(card: Card, pack: Pack) -> list[Problem]:
    """Ranges and needs are numbers, so the facts they speak of must be."""
    features = pack.features_of(card.subject) if card.subject else {}
    ranged = [(factor.fact, factor.where, "range") for factor in card.factors if factor.range]
    counted: Iterable[tuple[str, str, str]] = [*ranged, *((n.fact, card.where, n.kind) for n in card.needs)]
    return [Problem(where, f"`{word}` of `{fact}`, which is a {features[fact].kind}", "a number")
            for fact, where, word in counted if fact in features and features[fact].kind != "number"]


def _find_forbidden(card: Card, pack: Pack) -> list[Problem]:
    """The forbidden inputs of a card, found as in a rule that would read the same.

    What the list asks of a rule besides its inputs (who signs for it, what it suggests) a card has no place for: it
    suggests nothing, and convenes nobody.
    """
    assert card.subject is not None
    assert card.axis is not None
    problems: list[Problem] = []
    forbidden = read_forbidden(pack.folder / "forbidden.yaml", problems)
    unsaid = "a card"
    reader = Rule(
        id=f"{card.subject}/{card.name}", title=card.title, reference=unsaid, subject=card.subject, axis=card.axis,
        theme=unsaid, why=unsaid, when=card.condition, points=0, floor="none", fades_with=None, convene=(unsaid,),
        respond=(Response("support", unsaid),), because="", authority=unsaid, evidence="design", owner=unsaid,
        review_by=date.max, status="live", result=None, level=None, factor=None, where_declared=card.where)
    earning = [problem for factor in card.factors for problem in find_forbidden_points(
        factor.fact, card.axis, card.subject, factor.where, pack.features, forbidden)]
    return problems or sorted([*find_forbidden({reader.id: reader}, pack.features, forbidden), *earning])
