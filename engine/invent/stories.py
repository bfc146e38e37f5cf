"""Every planted story, told in order -> rows in the extracts and a line in the truth for each."""

from __future__ import annotations

from engine.invent.extracts import Extracts
from engine.invent.residents import People
from engine.invent.scenes import Stage, Story
from engine.invent.setting import Setting
from engine.invent.stories_awkward import AWKWARD
from engine.invent.stories_harm import HARM
from engine.invent.stories_offers import OFFERS
from engine.invent.stories_places import PLACES
from engine.invent.stories_streets import STREETS
from engine.invent.stories_victims import VICTIMS

TELLERS = (*VICTIMS, *HARM, *AWKWARD, *PLACES, *STREETS, *OFFERS)


def tell_stories(setting: Setting, extracts: Extracts) -> tuple[People, list[Story]]:
    """Tell every story; gives back everybody, the cast included, and what was told."""
    stage = Stage(setting, extracts, setting.stream("stories"))
    for tell in TELLERS:
        tell(stage)
    return stage.gather(), stage.stories
