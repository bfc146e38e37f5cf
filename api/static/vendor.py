"""Published front-end packages -> the few built files of them that the site sends, and a manifest of what they are.

Run by `make vendor`, only to upgrade: Node is needed then and never again. Some things are taken out on the way, and
the manifest says so: the font and the crest of GOV.UK, which a council may not use, the pictures of Leaflet, which no
map here has, and the names of source maps, which are not sent.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent / "vendor"


@dataclass(frozen=True)
class Package:
    """One package: its exact version, and the files kept of it (path inside the package -> name here)."""

    name: str
    version: str
    files: dict[str, str]
    copyright: str


PACKAGES = (
    # The macros of govuk-frontend-jinja 4.1.0 write the HTML of exactly this version.
    Package("govuk-frontend", "6.3.0", {
        "dist/govuk/govuk-frontend.min.css": "govuk-frontend.min.css",
        "dist/govuk/govuk-frontend.min.js": "govuk-frontend.min.js",
    }, "Crown Copyright (Government Digital Service)"),
    Package("htmx.org", "2.0.11", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE"}, "Big Sky Software"),
    # Without its pictures: a place map has no tiles and no pins, only shapes.
    Package("leaflet", "1.9.4", {
        "dist/leaflet.js": "leaflet.js", "dist/leaflet.css": "leaflet.css", "LICENSE": "LICENSE",
    }, "Volodymyr Agafonkin; CloudMade"),
)

_TAKEN_OUT: tuple[tuple[str, str, str], ...] = (
    (r"@font-face\{[^}]*\}", "", "GOV.UK font"),
    (r"GDS Transport,arial,sans-serif", "Arial,Helvetica,sans-serif", "GOV.UK font"),
    (r"url\(/assets/images/govuk-crest\.svg\)", "none", "GOV.UK crest"),
    (r"url\(images/[a-z0-9-]+\.png\)", "none", "pictures of Leaflet"),
    (r"\n?/\*# sourceMappingURL=\S+ \*/\n?", "\n", "name of the source map"),
    (r"\n?//# sourceMappingURL=\S+\n?", "\n", "name of the source map"),
)


def take_out(name: str, data: bytes) -> tuple[bytes, list[str]]:
    """The file as it is kept, and what was taken out of it. Only style sheets and scripts are changed."""
    if not name.endswith((".css", ".js")):
        return data, []
    text, out = data.decode("utf-8"), []
    for pattern, instead, what in _TAKEN_OUT:
        text, count = re.subn(pattern, instead, text)
        out += [what] if count else []
    return text.encode("utf-8"), list(dict.fromkeys(out))


def fetch(folder: Path) -> Path:
    """The packages of these versions in a folder, by whichever registry npm is set to; none of their scripts run."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("`make vendor` needs Node and npm; what is in api/static/vendor/ works without them.")
    wanted = [f"{one.name}@{one.version}" for one in PACKAGES]
    subprocess.run([npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit",    # noqa: S603
                    "--no-fund", "--no-save", "--loglevel=error", *wanted], check=True)
    return folder / "node_modules"


def keep(modules: Path, into: Path) -> dict[str, object]:
    """Writes the kept files and gives the manifest: name, version, licence, digests before and after."""
    kept = []
    for package in PACKAGES:
        described = json.loads((modules / package.name / "package.json").read_text(encoding="utf-8"))
        if described["version"] != package.version:
            sys.exit(f"{package.name}: {described['version']} was installed instead of {package.version}")
        files = []
        for source, name in package.files.items():
            published = (modules / package.name / source).read_bytes()
            data, out = take_out(name, published)
            path = into / package.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            files.append({"file": f"{package.name}/{name}", "sha256": sha256(data).hexdigest(), "taken_out": out,
                          "published_sha256": sha256(published).hexdigest()})
        kept.append({"name": package.name, "version": package.version, "licence": described["license"],
                     "copyright": package.copyright, "files": files})
    return {"packages": kept}


def main() -> None:
    """Replaces api/static/vendor/ by what the packages hold today."""
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary) / "vendor"
        manifest = keep(fetch(Path(temporary)), fresh)
        (fresh / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(HERE, ignore_errors=True)
        shutil.copytree(fresh, HERE)
    total = sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file())
    sys.stdout.write(f"{len(list(HERE.rglob('*.*')))} files, {total // 1024} KB in {HERE.name}/\n")


if __name__ == "__main__":
    main()
