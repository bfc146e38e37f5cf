"""What a housing officer thinks of a screening, in one of a few words: kept beside it, and changing nothing in it.

A screening is named here by the token it has on the site, which says nothing about anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.tables import opinions
from engine.store.words import check, say_no_words, say_not_among, say_unkeepable

BEFORE = ("would_offer", "would_not_offer", "unsure_before")
"""What an officer would do, asked before the screening is shown: what is read first sways what is thought after."""

AFTER = ("agree", "would_offer_anyway", "would_not_offer_anyway", "not_sure")
"""What an officer makes of a screening once read."""

UNEXPLAINED = (*BEFORE, "agree")
"""The views that need no words: nobody is made to explain before reading, and agreeing says what the screening says."""

_WHAT = "the view"


@dataclass(frozen=True)
class Opinion:
    """What one person thought at one moment. Whoever thinks again says so again: both stay."""

    id: str
    screening: str
    user: str
    view: str
    says: str
    at: datetime

    @property
    def before(self) -> bool:
        """Whether it was said before the screening was read."""
        return self.view in BEFORE


def say(writing: Writing, screening: str, view: str, says: str = "") -> Opinion:
    """Keeps what somebody thinks of a screening. Raises StoreError with everything wrong."""
    wanting = view not in UNEXPLAINED
    check(say_not_among(_WHAT, "view", view, (*BEFORE, *AFTER)),
          say_no_words(_WHAT, "reason", says) if wanting else say_unkeepable(_WHAT, "reason", says))
    opinion = Opinion(writing.draw(), screening, writing.actor, view, says.strip(), writing.at)
    writing.change(Note("opinion.said", opinion.id, {"screening": screening, "view": view}),
                   insert(opinions), [vars(opinion)])
    return opinion


def of_screening(reading: Reading, screening: str) -> tuple[Opinion, ...]:
    """Everything anybody thought of a screening, oldest first."""
    rows = reading.all(select(opinions).where(opinions.c.screening == screening)
                       .order_by(opinions.c.at, opinions.c.id))
    return tuple(Opinion(**row) for row in rows)
