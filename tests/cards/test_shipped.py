"""The cards that are shipped: on trial, learned from nobody, and fit for the rules they are shipped with."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.account import tabulate
from engine.admission import admit_cards
from engine.card import Card
from engine.pack import Pack
from models.card import PointsCard
from models.outcomes import read_outcomes

from ..conftest import RULES

CARDS = RULES.parent / "models" / "cards"
NAMES = sorted(path.stem for path in CARDS.glob("*.yaml"))


@pytest.fixture(scope="module")
def cards(shipped: Pack) -> dict[str, Card]:
    return {card.name: card for card in admit_cards(CARDS, shipped)}


def test_there_is_one_for_each_axis_of_each_subject(cards: dict[str, Card]) -> None:
    assert {name: (card.subject, card.axis) for name, card in cards.items()} == {
        "allocation_process_v1": ("allocation", "process"), "person_harm_v1": ("person", "harm"),
        "person_vulnerability_v1": ("person", "vulnerability"), "place_v1": ("place", "place")}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_on_trial_and_says_that_nobody_in_it_exists(cards: dict[str, Card], name: str) -> None:
    card = cards[name]
    assert card.status == "trial"
    assert "nobody in it exists" in card.fitted["note"]
    assert "nobody in it exists" in (CARDS / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_read_on_one_page_and_learned_again(
    cards: dict[str, Card], name: str, shipped: Pack, tmp_path: Path
) -> None:
    card = cards[name]
    assert card.subject is not None
    assert 1 <= len(tabulate(card, shipped.features_of(card.subject)).factors) <= 12
    assert card.outcome in read_outcomes(shipped).named
    assert PointsCard.from_yaml(CARDS / f"{name}.yaml").to_yaml() == card.text
