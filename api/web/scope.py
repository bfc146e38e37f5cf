"""Which flags somebody may see at all, asked of the policies once and turned into SQL, so that lists, counts, searches
and exports never read the others. Each row that is shown is then confirmed with `Rights.decide`.

To the policies a flag differs in four things only: its list, who it is held for, whether the asker's agency is named on
it and whether it was contested. So they are asked about every kind there can be, and nothing is written down twice. A
test holds this against Cedar on random people and flags: a policy that asks about a fifth thing fails it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import product

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, select, true

from api.web.rights import HELD, Agreement, Asker, Flag, Rights, Sheet
from engine.store.tables import challenges, flags, labels

LISTS = ("people", "places", "allocations")
_SHOWN = "shown"
_ELSEWHERE = "nobody"       # an agency that is not the asker's


@dataclass(frozen=True)
class Kind:
    """Flags that are the same to the policies; `held` is empty for those that are held for nobody else."""

    list: str
    held: str
    named: bool
    contested: bool


@dataclass(frozen=True)
class Scope:
    """What somebody may see: the kinds of flags, and the lists they may open."""

    agency: str
    kinds: frozenset[Kind]
    lists: tuple[str, ...]

    def holds(self, flag: Flag) -> bool:
        """Whether a flag is within it: what `write_where` says in SQL."""
        held = flag.status if flag.status in HELD else ""
        return Kind(flag.list, held, self.agency in flag.agencies, flag.contested) in self.kinds


def find_scope(
    rights: Rights, asker: Asker, today: date, agreements: Iterable[Agreement] = (), action: str = "view_flag"
) -> Scope:
    """Which flags somebody may do this with: 36 kinds, asked in one go."""
    agreements = tuple(agreements)
    kinds = [Kind(*one) for one in product(LISTS, ("", *HELD), (False, True), (False, True))]
    probes = [Flag(str(number), kind.list, kind.held or _SHOWN, frozenset({asker.agency if kind.named else _ELSEWHERE}),
                   kind.contested) for number, kind in enumerate(kinds)]
    flags_seen = rights.decide(asker, action, probes, today, agreements)
    sheets = rights.decide(asker, "view_list", [Sheet(name) for name in LISTS], today, agreements)
    return Scope(asker.agency, frozenset(kind for kind, said in zip(kinds, flags_seen, strict=True) if said.allowed),
                 tuple(name for name, said in zip(LISTS, sheets, strict=True) if said.allowed))


def write_where(scope: Scope) -> ColumnElement[bool]:
    """The condition on `flags` that keeps what is within a scope, and nothing else."""
    named = exists(select(labels.c.flag).where(
        labels.c.flag == flags.c.id, labels.c.kind == "agency", labels.c.value == scope.agency).correlate(flags))
    contested = exists(select(challenges.c.id).where(challenges.c.flag == flags.c.id).correlate(flags))
    pairs = sorted({(kind.list, kind.held) for kind in scope.kinds})
    terms = []
    for list_name, held in pairs:
        cells = {(kind.named, kind.contested) for kind in scope.kinds if (kind.list, kind.held) == (list_name, held)}
        status = flags.c.status == held if held else flags.c.status.not_in(HELD)
        terms.append(and_(flags.c.list == list_name, status, _write_cells(cells, named, contested)))
    return or_(*terms) if terms else false()


def _write_cells(
    cells: set[tuple[bool, bool]], named: ColumnElement[bool], contested: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Four yes-or-noes as the shortest condition over two."""
    if len(cells) == 4:
        return true()
    for term, place in ((named, 0), (contested, 1)):
        for wanted in (True, False):
            if cells == {cell for cell in product((False, True), repeat=2) if cell[place] is wanted}:
                return term if wanted else not_(term)
    return or_(*(and_(named if one else not_(named), contested if other else not_(contested))
                 for one, other in sorted(cells)))
