"""What the person of a request finds in the menu: the pages their rights open, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from api.web.rights import Agreement, Asker, Register, Rights, Thing, Ward
from api.web.site_words import LIST_TITLES


@dataclass(frozen=True)
class Item:
    """A line of the menu. `section`: what a page calls itself to be marked as the one that is open."""

    section: str
    text: str

    @property
    def href(self) -> str:
        """Where it leads."""
        return f"/{self.section}"


# Each page with the right that opens it, in the order of the menu.
_PAGES: tuple[tuple[Item, str, Thing], ...] = (
    (Item("meetings", "Meetings"), "hold_meeting", Register("meetings")),
    (Item("worklist", "Actions and questions"), "view_worklist", Register("worklist")),
    (Item("screenings", "Screening"), "screen", Register("screenings")),
    (Item("overrides", "Overrides"), "report_overrides", Register("screenings")),
    (Item("reviewing", "Reviewing"), "view_reviews", Register("reviews")),
    (Item("numbers", "Numbers"), "view_aggregates", Ward()),
    (Item("accounts", "Accounts"), "manage_users", Register("users")),
    (Item("agreements", "Agreements"), "view_agreements", Register("agreements")),
    (Item("challenges", "Challenges"), "view_challenges", Register("challenges")),
    (Item("disclosures", "Disclosures"), "view_disclosures", Register("disclosures")),
    (Item("audit", "Audit"), "audit_verify", Register("audit")),
    (Item("runs", "Runs"), "view_runs", Register("runs")),
    (Item("data", "Data"), "view_quarantine", Register("quarantine")),
    (Item("rules", "Rules"), "view_rules", Register("rules")),
)


def make_menu(
    rights: Rights, asker: Asker, today: date, signed: Iterable[Agreement], lists: Iterable[str]
) -> tuple[Item, ...]:
    """The menu of somebody who may open these lists."""
    own = [Item(name, LIST_TITLES[name]) for name in lists]
    pages = [item for item, action, thing in _PAGES if rights.may(asker, action, thing, today, signed).allowed]
    return (*own, Item("find", "Find"), *pages, Item("recalls", "Recalls")) if own else tuple(pages)
