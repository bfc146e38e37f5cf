"""The desks of a home: the snapshot of the day's run, or a new one with what has been recorded since.

    home/desks/<as-of>-<digest>/   a snapshot, and the pack it was made with

The name is the digest of what a desk is made from: the day, the pack, the batches partners have sent, the run before
and the records in dispute. While none of these changes, it is opened; when one does, another is made beside it. Old
ones stay, so that what was screened at them can be screened again.
"""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path

from engine.compared import compare_places
from engine.desk import Desk
from engine.disputes import Disputes
from engine.errors import Problem, RunError
from engine.history import connect
from engine.known import Say, hold_collection, read_known
from engine.lake import Lake
from engine.measures import measure
from engine.pack import Pack, digest_of, read_pack
from engine.runs import Runs
from engine.snapshot import Snapshot, load_snapshot, save_snapshot, take_snapshot
from engine.weekly import Before
from engine.world import Workbench


class Desks:
    """The desks under one home."""

    def __init__(self, home: Path) -> None:
        self.home, self.folder = home, home / "desks"

    def open(self, lake: Lake, pack: Pack, as_of: date, say: Say = lambda _: None) -> Desk:
        """The desk of a day, made if it is not there. Raises RunError when nothing was known by then."""
        name = self.name(lake, pack, as_of)
        if not (self.folder / name / "manifest.json").exists():
            before = Runs(self.home).before(as_of)
            self.save(_prepare(lake, pack, before, as_of, say), pack, name)
        return self._load(name, pack)

    def name(self, lake: Lake, pack: Pack, as_of: date) -> str:
        """What the desk of a day is called now."""
        before = Runs(self.home).before_name(as_of)
        made_from = [as_of.isoformat(), pack.digest, str(before), *map(repr, lake.ledger.read()),
                     *sorted(Disputes(self.home).on(as_of))]
        return f"{as_of}-{sha256(chr(10).join(made_from).encode()).hexdigest()[:12]}"

    def save(self, snapshot: Snapshot, pack: Pack, name: str) -> None:
        """Keeps a desk, whole or not at all."""
        save_snapshot(snapshot, self.folder / name, pack.folder)

    def find(self, name: str) -> Desk:
        """A desk that was kept, with the pack it was kept with. Raises RunError when it is gone or was altered."""
        if not (self.folder / name / "manifest.json").exists():
            raise RunError(Problem(name, "there is no such desk", "a desk that a screening was made at",
                                   "restore the folder `desks` from its backup"))
        return self._load(name, read_pack(self.folder / name / "pack"))

    def _load(self, name: str, pack: Pack) -> Desk:
        snapshot, digest = load_snapshot(self.folder / name)
        return Desk(snapshot, pack, {"pack": pack.digest, "features": digest_of(pack.folder / "features"),
                                     "snapshot": digest}, name)


# --- inside -------------------------------------------------------------------------------------


def _prepare(lake: Lake, pack: Pack, before: Before, as_of: date, say: Say) -> Snapshot:
    """Reads and links everything, and measures only the places a home carries something from."""
    with hold_collection():
        bench = Workbench(connect())
        known = read_known(lake, pack, before.registry, as_of, bench, say=say, disputes=before.disputes)
        say("measuring streets and blocks")
        carried = {str(f.carried_from) for f in pack.features_of("allocation").values()}
        named = {name.split(".")[1] for name in carried if name.startswith("place.")}
        counted = {name.removesuffix(f"_{pack.features[f'place.{name}'].statistic}") for name in named}
        features = [f for f in pack.features_of("place").values() if f.name in named | counted]
        wide = measure(known.world, "place", features, (), bench.hold, {})
        wide = compare_places(known.world, bench.hold("place_measured", wide), features, named, bench.put)
        say("taking the snapshot")
        return take_snapshot(known, bench.hold("place_features", wide), pack, bench.hold)
