"""A card's answer -> words an officer can check: what adds up, what raised and lowered it, what would change it.

Points are set against the average case, so nobody is told off for what everybody has. Where the card keeps silent, the
reason stands in place of the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.card import Card, ScoreRow
from engine.condition import Known, Not
from engine.factor import Bin, Factor
from engine.feature import Feature
from engine.flag import CardAccount, CardPart
from engine.prose import join_words, say, show
from engine.rule import BANDS, Band
from engine.scores import rank
from engine.tally import Given, Tally, band_of

Features = Mapping[str, Feature]

MOST_REASONS = 4
"""Each way. More than four is not likely to be helpful (commentary to Regulation B, on reasons for refusing credit)."""
LEAST_DIFFERENCE = 0.5
"""Points from the average below which a factor is no reason: whole points were rounded by as much."""

NO_RECORDS: Mapping[str, tuple[str, ...]] = MappingProxyType({})

_SOME = {"person": "people", "place": "places", "allocation": "offers", None: "cases"}


@dataclass(frozen=True)
class CardTable:
    """The whole card as plain values for one page: factors, each with lines of (words, points, share in per cent), and
    scores as (from, to, how many of 100)."""

    title: str
    factors: tuple[tuple[str, tuple[tuple[str, int, str], ...]], ...]
    scores: tuple[tuple[int, int, str], ...]


def account_for(
    card: Card, counted: Tally, features: Features, records: Mapping[str, tuple[str, ...]] = NO_RECORDS, lapse: str = ""
) -> CardAccount:
    """What the card says of a case, in words.

    `features` by name: titles, units, what can be changed; `records` behind each fact; `lapse`: when it would fall.
    """
    parts = tuple(_part(each, features, records) for each in counted.points) if counted.score is not None else ()
    furthest = sorted(parts, key=lambda part: -abs(part.difference))
    raises = [_reason(part, "more") for part in furthest if part.difference >= LEAST_DIFFERENCE]
    lowers = [_reason(part, "fewer") for part in furthest if part.difference <= -LEAST_DIFFERENCE]
    return CardAccount(
        card.name, card.title, card.axis, card.status, counted.score, card.least, card.most, band_of(card, counted),
        parts, tuple(raises[:MOST_REASONS]), tuple(lowers[:MOST_REASONS]), counted.abstains,
        _say_answer(card, counted, features), _say_change(card, counted, features), lapse)


def tabulate(card: Card, features: Features) -> CardTable:
    """The card for everybody: every line of every factor, and what every total means."""
    factors = tuple(
        (_title(factor, features),
         tuple((_line(each, factor, features).removeprefix(f"{_name(factor.fact, features)}: "), each.points,
                f"{each.share:.0%}") for each in factor.bins))
        for factor in card.factors)
    chances = card.licence == "probability"
    scores = tuple((row.first, row.last, say_chance(card, row) if chances else "not licensed to say")
                   for row in card.scores)
    return CardTable(card.title, factors, scores)


def say_chance(card: Card, row: ScoreRow) -> str:
    """A chance as a number of cases, which is read more truly than a per cent."""
    return (f"of 100 {_SOME[card.subject]} with this score, {_of_100(row.probability, 'about ')} "
            f"(between {_of_100(row.low)} and {_of_100(row.high)})")


# --- what it answers ------------------------------------------------------------------------------


def _say_answer(card: Card, counted: Tally, features: Features) -> str:
    if counted.abstains is not None:
        return _say_silence(card, counted, features)
    assert counted.row is not None
    lost = _say_lost(counted, features)
    return f"{card.title}: {say_chance(card, counted.row)}.{lost}"


def _say_silence(card: Card, counted: Tally, features: Features) -> str:
    about = join_words([_name(fact, features) for fact in counted.about])
    some = _SOME[card.subject]
    match counted.abstains:
        case "not_for":
            assert card.applies is not None
            return f"The card says nothing: it is only for {some} known to meet this: {say(card.applies, features)}."
        case "silent":
            return f"The card says nothing: too few {some} are behind it. Only the rules speak."
        case "feed_missing":
            return f"The card says nothing now: a feed that tells of {about} is late. This is not a low score."
        case "thin_history":
            return f"The card says nothing: too little is known so far of {about}. This is not a low score."
        case "outside_range":
            return f"The card says nothing: it has seen nothing like this value of {about}, and would have to guess."
        case "rank_only":
            return (f"{counted.total} points, on a card that goes from {card.least} to {card.most}. It may put a list "
                    f"in order; it has seen too few outcomes to say how likely anything is.")
    assert counted.row is not None
    return (f"{card.title}: too close to call. Of 100 {some} with this score it may be {_of_100(counted.row.low)} or "
            f"{_of_100(counted.row.high)}, and {_say_edges(card, counted.row)} lies between. "
            f"The card does not decide it.")


def _say_edges(card: Card, row: ScoreRow) -> str:
    edges = [f"the edge of “{band}” ({_of_100(card.bands[band])})" for band in BANDS
             if band in card.bands and row.low < card.bands[band] <= row.high]
    return join_words(edges)


def _say_lost(counted: Tally, features: Features) -> str:
    """Small factors nobody knows are counted as not known, and that is said."""
    unknown = [_name(each.factor.fact, features) for each in counted.points if each.value is None]
    return f" Not known, and counted as such: {join_words(unknown)}." if unknown else ""


def _of_100(chance: float, about: str = "") -> str:
    number = int(100 * chance + 0.5)
    if number == 0:
        return "fewer than 1"
    return "more than 99" if number == 100 else f"{about}{number}"


# --- the parts ------------------------------------------------------------------------------------


def _part(given: Given, features: Features, records: Mapping[str, tuple[str, ...]]) -> CardPart:
    fact, feature = given.factor.fact, features.get(given.factor.fact)
    return CardPart(
        fact, _title(given.factor, features), show(given.value, feature.unit if feature else ""),
        _line(given.bin, given.factor, features), given.points, round(given.factor.typical, 2),
        feature is not None and feature.changeable, records.get(fact, ()))


def _reason(part: CardPart, word: str) -> str:
    return f"{part.line} ({part.points:+d} points, {abs(part.difference):.1f} {word} than the average case)"


def _line(held: Bin, factor: Factor, features: Features) -> str:
    """A line of the card in words; the one for all other words says which are meant."""
    if isinstance(held.when, Not) and not isinstance(held.when.part, Known):
        return f"{_name(factor.fact, features)}: none of the other answers here"
    said, head = say(held.when, features), f"{_name(factor.fact, features)}: "
    return said.replace(f", and {head}", " and ") if said.startswith(head) else said


def _title(factor: Factor, features: Features) -> str:
    name = _name(factor.fact, features)
    return name[0].upper() + name[1:]


def _name(fact: str, features: Features) -> str:
    """A fact as sentences name it, with its window."""
    return say(Known(fact), features).removesuffix(" is known")


# --- what would change it -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Move:
    """A changeable factor in another bin: the points it would take off."""

    given: Given
    bin: Bin

    @property
    def gain(self) -> int:
        return self.given.points - self.bin.points


def find_change(card: Card, counted: Tally, features: Features) -> tuple[tuple[Factor, Bin], ...]:
    """The fewest changeable factors, and for each the smallest change, that take the case below its band.

    () where it is in no band, or where nothing that can be changed is enough. Taking the largest gains first gives the
    fewest factors, because points only add up.
    """
    band = band_of(card, counted)
    needed = _needed(card, counted, band) if band is not None else 0
    best = sorted((moves for given in counted.points if (moves := _moves(given, features))),
                  key=lambda moves: (-moves[-1].gain, moves[0].given.factor.fact))
    chosen: list[list[_Move]] = []
    while needed > sum(moves[-1].gain for moves in chosen):
        if len(chosen) == len(best):
            return ()
        chosen.append(best[len(chosen)])
    spare = sum(moves[-1].gain for moves in chosen) - needed
    found = []
    for moves in reversed(chosen):      # what the set has to spare is given back, smallest gain first
        move = next(m for m in moves if moves[-1].gain - m.gain <= spare)
        spare -= moves[-1].gain - move.gain
        found.append((move.given.factor, move.bin))
    return tuple(reversed(found))


def _needed(card: Card, counted: Tally, band: Band) -> int:
    """The points to lose for a lower band; more than there are, where every total reaches this one."""
    below = [row.last for row in card.scores if rank(_band_at(card, row)) > rank(band)]
    return counted.total - max(below) if below else card.most - card.least + 1


def _band_at(card: Card, row: ScoreRow) -> Band | None:
    return next((band for band in BANDS if band in card.bands and row.low >= card.bands[band]), None)


def _moves(given: Given, features: Features) -> list[_Move]:
    """Where a changeable factor could go for fewer points, the smallest gain first; never to not known."""
    feature = features.get(given.factor.fact)
    if feature is None or not feature.changeable:
        return []
    moves = (_Move(given, other) for other in given.factor.bins[:-1])
    return sorted((move for move in moves if move.gain > 0), key=lambda move: move.gain)


def _say_change(card: Card, counted: Tally, features: Features) -> str:
    band = band_of(card, counted)
    if band is None:
        return ""
    changes = find_change(card, counted, features)
    if not changes:
        return f"Nothing that somebody could change would by itself take it out of “{band}” on this card."
    said = [f"{_line(to, factor, features)}{_say_how(factor, features)}" for factor, to in changes]
    return f"On this card it would leave “{band}” with {join_words(said)}."


def _say_how(factor: Factor, features: Features) -> str:
    how = features[factor.fact].changes_to
    return f" ({how})" if how else ""
