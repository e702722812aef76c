# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML file that needs nothing but itself: no network, no other file, no JavaScript to read it.

Whatever stands in a report may have been written by somebody hostile (names of nodes, rules, log lines). The template
escapes everything; nothing of the report gets into the style, the script or an attribute that a browser obeys; and the
page forbids itself by a policy to load or run anything but its own style and script, which it knows by their digests.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from .._commonality.shared import worded
from .clean import clean
from .html_findings import findings
from .html_matrix import STATES, matrix, pairs
from .html_mesh import drawing, title
from .mesh import LOOKS, read, runs
from .terminal import BAD_STATUS, VERDICTS, api_told, covered, few, key_told, merged, sessions_told, verdict_told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .mesh import Mesh

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_SHORT_TABLE = 60
_LISTED = 500


def page(report: Mapping[str, Any], ledger: Mapping[str, Any] | None = None) -> str:
    """The whole file. report and ledger are plain JSON data; KeyError, TypeError or AttributeError for what is no
    whole report."""
    style, script = _text("report.css"), _text("report.js")
    template = _environment().get_template("report.html.j2")
    told = _context(clean(report), clean(ledger or {}))
    try:
        return template.render(
            **told,
            style=Markup(style),  # noqa: S704  # our own files, as they are shipped
            script=Markup(script),  # noqa: S704
            style_digest=_digest(style),
            script_digest=_digest(script),
        )
    except jinja2.UndefinedError as error:
        raise KeyError(str(error)) from error


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8").strip()


def _digest(text: str) -> str:
    """As a policy names what it allows."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _context(report: dict[str, Any], ledger: dict[str, Any]) -> dict[str, Any]:
    mesh = read(report)
    word = report["verdict"] if report["verdict"] in VERDICTS else "undetermined"
    told = findings(report)
    square = matrix(mesh)
    return {
        "verdict": word,
        "verdict_told": verdict_told(report).partition(": ")[2],
        "what": "preflight" if "preflight" in report else "BGP diagnosis",
        "covered": covered(report),
        "generated_at": report["generated_at"],
        "collected": report["collected"],
        "bundle": (report.get("bundle") or {}).get("path", ""),
        "coverage": _coverage(report),
        "flavour": list(_flavour(report["flavour"])),
        "sessions_told": sessions_told(report["sessions"]),
        "reasons": list(_reasons(report)),
        "found": told,
        "picture": drawing(mesh) if mesh.spots else None,
        "looks": [(look, words) for look, words in LOOKS.items() if any(spot.look == look for spot in mesh.spots)],
        "has_reflectors": any(spot.reflector for spot in mesh.spots),
        "matrix": square,
        "states": STATES,
        "pairs": pairs(mesh),
        "nodes": list(_nodes(mesh, told["shown_numbers"])),
        "short": len(mesh.spots) <= _SHORT_TABLE,
        "data": Markup(_data(mesh, square)),  # noqa: S704  # JSON without a sign that ends a script
        "history": _history(report.get("history") or {}),
        "ledger": _ledger(ledger),
        "notes": report.get("notes") or [],
        "unchecked": list(_unchecked(report)),
    }


def _coverage(report: Mapping[str, Any]) -> dict[str, Any]:
    nodes = report["coverage"]["nodes"]
    lists = (
        ("Read without root, so in part only", nodes.get("without_root")),
        ("Read by their shell for want of a usable Python", nodes.get("without_python")),
        ("Not asked, as in no inventory", nodes.get("unlisted")),
        ("Ignored, as no Linux machine", [one["node"] for one in nodes.get("ignored") or ()]),
        ("No trace of Calico", nodes.get("without_calico")),
    )
    return {
        "expected": nodes["expected"],
        "collected": nodes["collected"],
        "missing": nodes["missing"],
        "aliases": nodes.get("aliases") or [],
        "lists": [{"what": what, "names": names[:_LISTED], "count": len(names)} for what, names in lists if names],
        "api": api_told(report["coverage"]["api"]),
    }


def _flavour(flavour: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, key in (("Backend", "backend"), ("Installed by", "installer"), ("Calico", "version")):
        if flavour.get(key):
            yield label, str(flavour[key])
    if flavour.get("encapsulation"):
        yield "Encapsulation", ", ".join(flavour["encapsulation"])


def _reasons(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What stands beside the verdict: overlay, impact, where it comes together, what is shared, what has changed."""
    for entry in report.get("overlay") or ():
        yield "Overlay", entry["says"]
    if report.get("impact"):
        yield "Impact", report["impact"]["summary"]
    found = report.get("culprits") or []
    down = sum(one["sessions"] for one in found)
    if 0 < len(found) < down:
        names = [" or ".join(one["nodes"]) for one in found]
        yield "Where", f"all {down} sessions that are down end at {few(names)}"
    for shared in report.get("commonality") or ():
        what = f"{shared['what']}: " if shared.get("what") else ""
        of_others = f"of all other nodes {shared['elsewhere']}"
        yield "Shared", f"{what}{shared['affected']} of {shared['of']}: {worded(shared)}; {of_others}"


def _nodes(mesh: Mesh, shown: set[int]) -> Iterator[dict[str, Any]]:
    for spot in mesh.spots:
        yield {
            "number": spot.number,
            "name": spot.name,
            "address": spot.address,
            "group": spot.group,
            "look": spot.look,
            "look_told": LOOKS[spot.look],
            "reflector": spot.reflector,
            "title": title(spot),
            "up": spot.up.bit_count(),
            "failing": spot.failing.bit_count(),
            "findings": [number for number in spot.findings if number in shown],
        }


def _data(mesh: Mesh, square: Mapping[str, Any] | None) -> str:
    """What the script looks pairs up in: names, and of each node the runs of the others by state."""
    rows = [
        [list(runs(spot.up)), list(runs(spot.dials)), list(runs(spot.absent)), int(spot.read)] for spot in mesh.spots
    ]
    told = {"names": [spot.name for spot in mesh.spots], "rows": rows, "per": square["per_cell"] if square else 1}
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _history(history: Mapping[str, Any]) -> dict[str, Any] | None:
    if not history.get("compared_with") and not history.get("problems"):
        return None
    words = (
        ("New", "new"),
        ("Gone", "gone"),
        ("Could not be looked at", "not_checked"),
        ("Comes and goes", "flapping"),
    )
    runs_before = history.get("runs") or []
    return {
        "since": history.get("compared_with") or "",
        "changes": [
            (word, [key_told(key) for key in history[name]][:_LISTED]) for word, name in words if history.get(name)
        ],
        "runs": [
            {
                "at": run["at"],
                "verdict": run["verdict"] if run["verdict"] in VERDICTS else "undetermined",
                "count": len(run["found"]),
                "found": few([key_told(key) for key in run["found"]]),
            }
            for run in reversed(runs_before)
        ],
        "problems": history.get("problems") or [],
    }


def _ledger(ledger: Mapping[str, Any]) -> dict[str, Any] | None:
    if not ledger:
        return None
    kinds = (("Repaired", "gone"), ("Still there", "left"), ("Left to a person", "rest"), ("New", "new"))
    return {
        "sessions": ledger["sessions"],
        "findings": [(word, [key_told(key) for key in ledger["findings"].get(kind) or ()]) for word, kind in kinds],
        "worse": ledger["worse"][:_LISTED],
        "routes": ledger["routes"][:_LISTED],
    }


def _unchecked(report: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    bad = (source for source in report["coverage"]["sources"] if source["status"] in BAD_STATUS)
    for (source, detail), nodes in list(merged(bad).items())[:_LISTED]:
        yield {"source": source, "nodes": few([name for name in nodes if name]), "detail": detail}
