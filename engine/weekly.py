"""The weekly run, as one sentence: load -> link -> measure -> judge -> choose -> explain.

One date, one pack, one snapshot of what partners had sent. No clock is read and nothing is decided here; the
same inputs give the same bytes whatever the order of rows or the number of threads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256

import ibis.expr.types as ir
import pandas as pd

from engine.admission import check_cards
from engine.card import Card
from engine.carried import carry, find_doubted
from engine.compared import compare_places
from engine.condition import names_in
from engine.evidence import gather
from engine.explain import Told, explain
from engine.feature import Feature
from engine.flag import CardAccount, Flag
from engine.history import Freshness, connect
from engine.judge import choose_candidates, count_outcomes, exists_of, judge
from engine.keyed import World
from engine.known import Say, hold_collection, read_known, say_silence
from engine.lake import Lake
from engine.linkage import Linked
from engine.lists import LISTS, Entry, Left, Note, check_lists, choose, explain_leaving, live_rules
from engine.measures import Kept, measure
from engine.pack import Pack, digest_of
from engine.pairs import draw_up_shortlists, place_pairs, screen_shortlists
from engine.schema import SUBJECTS, Subject
from engine.snapshot import Snapshot, take_snapshot
from engine.tally import Answer, add_scores, answer
from engine.world import Workbench

_EXPLAINED = {"shown", "already held", "routed", "second source needed", "restricted", "muted"}


@dataclass(frozen=True)
class Before:
    """What earlier runs and people leave for this one: plain values, so that a run can be made again.

    `registry` of person ids; `entries` of the last run by list and subject; `notes` people made since; `disputes`, the
    records in dispute on the date.
    """

    registry: pd.DataFrame
    entries: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)
    notes: Sequence[Note] = ()
    run: str | None = None
    disputes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Run:
    """Everything one run found. `tables` (in DuckDB) hold per kind of subject every feature, outcome and card total."""

    as_of: date
    area: str | None
    entries: tuple[Entry, ...]
    left: tuple[Left, ...]
    flags: tuple[Flag, ...]
    near_misses: Mapping[str, tuple[str, ...]]
    on_trial: Mapping[str, tuple[CardAccount, ...]]     # what the cards on trial say of each flag's subject
    counts: pd.DataFrame
    freshness: tuple[Freshness, ...]
    partial: pd.DataFrame
    linked: Linked
    tables: Mapping[Subject, ir.Table]
    expired: tuple[str, ...]
    orphans: pd.DataFrame
    redrawn: Mapping[str, date]
    cohorts: Mapping[str, int]
    digests: Mapping[str, str]
    inputs: Sequence[tuple[str, str]] = ()      # the batches it read, each with its sha256
    desk: Snapshot | None = None                # for screening offers live; none where only an area was looked at
    shortlists: pd.DataFrame = field(default_factory=pd.DataFrame)      # see `pairs.screen_shortlists`
    cards: tuple[Card, ...] = ()


@hold_collection()
def make_run(      # noqa: PLR0913  the one way in: everything that decides a run is passed
    lake: Lake, pack: Pack, as_of: date, before: Before, *, area: str | None = None,
    only: Collection[str] | None = None, freshness: Sequence[Freshness] | None = None,
    threads: int | None = None, say: Say = lambda _: None, cards: Sequence[Card] = (),
) -> Run:
    """The lists and flags of one date.

    `only` and `freshness` are given when an old run is made again: its batches, and what was fresh then. `cards` are
    counted for everybody; those in force may lift a band, and those on trial reach no entry and no flag.
    Raises RunError when nothing was known by that date, or when two implementations disagree; RuleError for a card
    that the pack does not let in.
    """
    check_lists(pack)
    check_cards(cards, pack)
    bench = Workbench(connect(threads))
    known = read_known(lake, pack, before.registry, as_of, bench, area=area, only=only, freshness=freshness, say=say,
                       disputes=before.disputes)
    shortlists = draw_up_shortlists(known.world, pack.policy.scheme)
    world, fresh = place_pairs(known.world, shortlists, bench), known.fresh
    cards = tuple(sorted((card for card in cards if card.status != "retired"), key=lambda card: card.name))
    digests = digest_inputs(known.inputs, pack, before, fresh, [card for card in cards if card.in_force(as_of)])
    say("measuring")
    tables, kept = measure_all(world, pack, bench, say, cards)
    pairs = tables["allocation"]        # the open proposals, and whoever else stands on a shortlist
    tables["allocation"] = pairs.filter(pairs.proposal.notnull())
    lost = find_all_lost(world, pack)
    tables = score_all(tables, cards, lost)
    found = _Found(world, pack, before, fresh, known.linked, digests, kept, cards, lost)
    entries: list[Entry] = []
    left: list[Left] = []
    explained: list[Told] = []
    for subject in SUBJECTS:
        say(f"judging and explaining {LISTS[subject]}")
        some, gone, told = _list_one(subject, tables[subject], found)
        entries += some
        left += gone
        explained += told
    counts = pd.concat([count_outcomes(table) for table in tables.values()], ignore_index=True)
    return Run(
        as_of, area, tuple(entries), tuple(left), tuple(told.flag for told in explained),
        {told.flag.subject: told.near_misses for told in explained if told.near_misses},
        {told.flag.subject: told.on_trial for told in explained if told.on_trial}, counts, fresh, known.partial,
        known.linked, tables,
        tuple(sorted(r.id for r in pack.rules.values() if r.status != "retired" and r.expired(as_of))),
        lake.check_references(known.feeds), world.redrawn,
        {LISTS[s]: int(tables[s].count().execute()) for s in SUBJECTS}, digests, known.inputs,
        None if area else take_snapshot(known, tables["place"], pack, bench.hold),
        screen_shortlists(pairs, shortlists, live_rules(pack, "allocation", as_of)), cards)


def measure_all(
    world: World, pack: Pack, bench: Workbench, say: Say, cards: Sequence[Card] = ()
) -> tuple[dict[Subject, ir.Table], Kept]:
    """Every feature and outcome of every subject, and the rows behind them.

    People first, then places (which may carry from people), then allocations (from both).
    """
    kept: Kept = {}
    judged: dict[Subject, ir.Table] = {}
    for subject in SUBJECTS:
        say(f"measuring {LISTS[subject]}")
        features = list(pack.features_of(subject).values())
        wide = measure(world, subject, features, exists_of(pack, subject, world.as_of), bench.hold, kept)
        if subject == "place":
            wide = compare_places(world, bench.hold("place_measured", wide), features, read_of(pack, cards), bench.put)
        wide = carry(world, wide, features, judged, find_doubted(world, features, pack.features, kept))
        measured = bench.hold(f"{subject}_features", wide)
        judged[subject] = bench.hold(f"{subject}_judged", judge(measured, pack, subject, world.as_of))
    return judged, kept


def read_of(pack: Pack, cards: Sequence[Card]) -> set[str]:
    """Every fact a rule or card reads, or one that is carried. Comparing places is dear: what nobody reads is not."""
    named = {f"{rule.subject}.{name}" for rule in pack.rules.values() for name in names_in(rule.when)}
    named |= {f"{card.subject}.{name}" for card in cards for name in card.reads}
    named |= {str(pack.features[name].carried_from) for name in named if name in pack.features}
    return {name.split(".", 1)[-1] for name in named}


def score_all(
    tables: Mapping[Subject, ir.Table], cards: Sequence[Card], lost: Mapping[Subject, frozenset[str]]
) -> dict[Subject, ir.Table]:
    """The judged tables with a column for the total of each card."""
    return {subject: add_scores(table, [card for card in cards if card.subject == subject], lost[subject])
            for subject, table in tables.items()}


def find_all_lost(world: World, pack: Pack) -> dict[Subject, frozenset[str]]:
    """The facts of each kind of subject that nobody can believe on this day, because a feed behind them is late."""
    return {subject: frozenset(name for name, feature in pack.features_of(subject).items()
                               if not _believes(world, feature, pack)) for subject in SUBJECTS}


def _believes(world: World, feature: Feature, pack: Pack) -> bool:
    """Whether silence can be read in the feeds a fact rests on, its own or those of the one it is carried from."""
    while feature.carried_from is not None:
        feature = pack.features[feature.carried_from]
    if feature.statistic is not None and feature.window is not None \
            and world.gaps_in(feature.feeds, world.as_of - timedelta(days=feature.window), world.as_of):
        return False
    return world.believes(feature)


def digest_inputs(
    inputs: Sequence[tuple[str, str]], pack: Pack, before: Before, fresh: Sequence[Freshness],
    cards: Sequence[Card] = (),
) -> dict[str, str]:
    """What a flag is stamped with: the pack, the declared features, the cards in force, and the snapshot it was made
    from.

    The snapshot covers the batches read, which feeds were up to date, and what earlier runs and people left.
    """
    snapshot = sha256()
    for name, digest in sorted(inputs):
        snapshot.update(f"{name} {digest}\n".encode())
    registry = before.registry.astype(str).sort_values(list(before.registry.columns))
    snapshot.update(registry.to_csv(index=False).encode())
    snapshot.update(repr(sorted(map(repr, before.notes))).encode())
    snapshot.update(str(before.run).encode())
    if before.disputes:
        snapshot.update(repr(sorted(before.disputes)).encode())
    snapshot.update(repr(sorted((f.feed, str(f.last_spoke), f.fresh) for f in fresh)).encode())
    scored = {"cards": sha256("".join(card.digest for card in cards).encode()).hexdigest()} if cards else {}
    return {"pack": pack.digest, "features": digest_of(pack.folder / "features"),
            "snapshot": snapshot.hexdigest(), **scored}


@dataclass(frozen=True)
class _Found:
    """What the three lists are made from."""

    world: World
    pack: Pack
    before: Before
    fresh: Sequence[Freshness]
    linked: Linked
    digests: Mapping[str, str]
    kept: Kept
    cards: Sequence[Card]
    lost: Mapping[Subject, frozenset[str]]

    def reach_of(self, subject: Subject) -> dict[str, int]:
        """The column of each card in force, and the lowest total with which it lifts somebody."""
        return {f"card:{card.name}": card.reach for card in self.cards
                if card.subject == subject and card.in_force(self.world.as_of) and card.reach is not None}

    def answers_to(self, subject: Subject, row: Mapping[str, object]) -> tuple[Answer, ...]:
        """What every card on a kind of subject says of one of them."""
        return tuple(answer(card, row, self.lost[subject], self.world.as_of)
                     for card in self.cards if card.subject == subject)


def _list_one(subject: Subject, table: ir.Table, found: _Found) -> tuple[list[Entry], list[Left], list[Told]]:
    world, pack, before = found.world, found.pack, found.before
    late = {f.feed: f.title for f in found.fresh if not f.fresh}
    last = before.entries.get(LISTS[subject], {})
    live = [rule.id for rule in live_rules(pack, subject, world.as_of)]
    rows = choose_candidates(table, live, list(last), found.reach_of(subject))
    by_id = {str(row["subject"]): row for row in rows}
    newest = {name: row["last_known"] for name, row in by_id.items() if row.get("last_known")}
    answers = {name: found.answers_to(subject, row) for name, row in by_id.items()}
    entries = choose(rows, subject, pack, world.as_of, last, before.notes, newest, answers)  # type: ignore[arg-type]
    left = explain_leaving(last, entries, by_id, pack, LISTS[subject], late, _merged(found.linked))
    told = [entry for entry in entries if entry.status in _EXPLAINED]
    evidence = gather(world, subject, [by_id[e.subject] for e in told], pack.features_of(subject).values(),
                      exists_of(pack, subject, world.as_of), pack.features, found.kept)
    silence = {f.title: say_silence(f) for f in found.fresh if not f.fresh}
    flags = [explain(e, by_id[e.subject], evidence, pack, subject, found.digests, silence, answers[e.subject])
             for e in told]
    return entries, left, flags


def _merged(linked: Linked) -> dict[str, str]:
    merges = linked.events[linked.events["kind"] == "merge"]
    return dict(zip(merges["other"].astype(str), merges["person"].astype(str), strict=True))
