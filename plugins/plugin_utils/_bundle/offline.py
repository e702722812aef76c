# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From bundles to reports, without a cluster: what a bundle tells, and what in it was of no use."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._analysis.report import analyse
from .._analysis.wishes import as_wished
from .._evidence import plain
from .._evidence.evidence import Evidence
from .._patch import make, places
from . import evidence, read, strangers, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .._analysis.wishes import Wishes
    from .._patch.model import Patch
    from .read import Bundle

# So many files that nobody recognised, or that were passed over, are named; of the rest only the number is told.
_NAMED = 20
_ENDINGS = re.compile(r"(?i)\.(?:tar|tar\.(?:gz|bz2|xz)|tgz|tbz2?|txz|zip|gz|bz2|xz)$")


class Analysed(NamedTuple):
    """A bundle's report, and corrections of what is in it."""

    report: dict[str, Any]
    patches: Sequence[Patch] = ()


def analysed(path: str, wishes: Wishes | None = None) -> Analysed:
    """Return the report on the bundle at `path`. It is a report, too, that nothing could be read there."""
    moment = datetime.now(timezone.utc)
    try:
        bundle = read.read(path)
    except OSError as error:
        return unreadable(path, str(error.strerror or error), moment)
    found, _as_of = evidence.evidence(bundle)
    report = analyse(found, moment)
    report["bundle"] = {"path": path, "written_at": bundle.written_at}
    report["coverage"]["sources"] += [*useless(bundle), *_left_out(bundle, found)]
    if not report["coverage"]["sources"] and not report["coverage"]["nodes"]["expected"]:
        report["coverage"]["sources"].append(_source(path, "failed", "There is no text in it: it is empty."))
    if wishes is not None:
        report = as_wished(report, wishes, lambda: _facts(bundle), moment)
    places.locate(report, bundle)
    return Analysed(report, make.patches(report, bundle))


def _facts(bundle: Bundle) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts of each node, and what the API told, for the user's own checks."""
    nodes = {name: evidence.facts_of(name, told) for name, told in bundle.nodes.items()}
    return {name: facts for name, facts in nodes.items() if facts}, evidence.cluster_of(bundle)


def broken(path: str, error: Exception) -> Analysed:
    """Return the report on a bundle on which the analysis itself came to grief."""
    return unreadable(path, f"the analysis of it broke, which is a fault of this program ({type(error).__name__})")


def unreadable(path: str, why: str, moment: datetime | None = None) -> Analysed:
    """Return the report on a bundle of which nothing can be said, and why."""
    report = analyse(Evidence({}), moment or datetime.now(timezone.utc))
    report["bundle"] = {"path": path, "written_at": ""}
    report["coverage"]["sources"].append(_source(path, "failed", f"It cannot be read: {plain.text(why)}."))
    for one in report["findings"]:
        # What to collect on nodes is no answer to a wrong path.
        one["summary"] = f"{plain.text(path)} cannot be read: {plain.text(why)}. So nothing is known of any node."
        one["fix"]["text"] = "Give the path of a bundle that is there and that this account may read."
        one["missing"] = []
    report["missing_evidence"] = []
    return Analysed(report)


def useless(bundle: Bundle) -> list[dict[str, str]]:
    """Return what of a bundle was of no use or only read in part, as sources of a report."""
    return [
        *(_source(path, "failed", f"Passed over: {why}.") for path, why in bundle.refused[:_NAMED]),
        *_rest(len(bundle.refused), "failed", "passed over"),
        *(_source(path, "unrecognised", "Nobody knows what this is.") for path in bundle.unrecognised[:_NAMED]),
        *_rest(len(bundle.unrecognised), "unrecognised", "not recognised"),
        *(_source(path, "ok", why) for path, why in bundle.shortened[:_NAMED]),
        *_rest(len(bundle.shortened), "ok", "read in part"),
        *(_source("bundle", "unrecognised", sentence) for sentence in bundle.remarks),
    ]


def _left_out(bundle: Bundle, found: Evidence) -> Iterator[dict[str, str]]:
    """Tell of machines that are no nodes, and of those that may be another cluster's."""
    if bundle.written_at:
        return
    told = {*found.nodes, *found.aliases, *(missing.name for missing in found.missing)}
    for name in bundle.nodes:
        # Of a folder without a text of use there are no facts either.
        if name not in told and evidence.facts_of(name, bundle.nodes[name]):
            why = "It is none of the Nodes that are listed and has no trace of Calico: what was read of it is left out."
            yield {"node": name, "source": "host", "status": "unrecognised", "detail": why}
    for name in strangers.foreign(found):
        why = "No Node of this name or address is listed: it is of another cluster, or runs under a wrong name."
        yield {"node": name, "source": "host", "status": "unrecognised", "detail": why}


def names(paths: Iterable[str]) -> list[str]:
    """Return a name for each bundle that is safe as a folder's and that no other one has: without the ending of an
    archive, and numbered where several are called the same."""
    taken: set[str] = set()
    return [_unique(_ENDINGS.sub("", Path(path).expanduser().absolute().name) or "bundle", taken) for path in paths]


def _unique(name: str, taken: set[str]) -> str:
    name = write.folder_names({name: ""})[name]
    number, found = 1, name
    while found.lower() in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found.lower())
    return found


def _rest(number: int, status: str, what: str) -> Iterator[dict[str, str]]:
    if number > _NAMED:
        yield _source("bundle", status, f"{number - _NAMED} more files were {what}.")


def _source(path: str, status: str, detail: str) -> dict[str, str]:
    return {"node": "", "source": plain.text(path), "status": status, "detail": detail}
