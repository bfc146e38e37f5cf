"""The lists of a day -> made and kept, with the desk that offers are screened at; every door makes them here."""

from __future__ import annotations

from datetime import date

from api.setting import Setting
from engine.desks import Desks
from engine.known import Say
from engine.weekly import Run, make_run


def keep_lists(setting: Setting, as_of: date, area: str | None, say: Say) -> tuple[str, Run]:
    """The name of the run, and the run. Raises RunError where nothing was known by that day."""
    desks = Desks(setting.home)
    desk = desks.name(setting.lake, setting.pack, as_of)    # named first: what is disputed meanwhile is not in it
    before = setting.runs.before(as_of, area)
    run = make_run(setting.lake, setting.pack, as_of, before, area=area, say=say, cards=setting.cards)
    say("saving")
    if run.desk is not None:
        desks.save(run.desk, setting.pack, desk)
    return setting.runs.save(run, before, setting.pack, setting.lake), run
