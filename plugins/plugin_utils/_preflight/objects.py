# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that are to be applied: what the linter says of them, and what the hosts say to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue.faults import BY_ID
from .._evidence import plain
from .._lint import context as lint
from .._lint import engine
from . import duplicates, intent, told
from .finding import finding, seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._lint.model import Finding
    from .intent import Intent
    from .model import Scene


def findings(scene: Scene) -> list[dict[str, Any]]:
    """What is wrong with the planned objects."""
    plan = intent.read(scene.planned)
    if not plan.loaded.files and not plan.loaded.findings:
        return []
    # Ranges that overlap those of hosts and Services are told by networks, with the hosts.
    settings = lint.Settings(provider=plan.provider)
    broken = [*plan.loaded.findings, *engine.lint(plan.loaded.documents, settings)]
    return [*map(_as_finding, broken), *_unknown_nodes(scene, plan), *_nothing_in_them(plan)]


def _as_finding(one: Finding) -> dict[str, Any]:
    """A broken rule in the form of the report; it has no host, but a file and a line."""
    place = f"{one.file}:{one.line}" if one.line else one.file
    fault = one.fault if one.fault in BY_ID else f"preflight.{one.rule}"
    return finding(
        fault,
        one.severity,
        [],
        f"{place}: {one.summary}" if place else one.summary,
        one.fix,
        title=one.title,
        means=one.why,
        where={"object": one.object, "field": one.field, "file": one.file, "line": one.line},
        evidence=[seen("", place, one.summary, locator=one.field)],
    )


def _unknown_nodes(scene: Scene, plan: Intent) -> Iterator[dict[str, Any]]:
    """BGPPeers and settings for a node by a name that none of the hosts will have."""
    read = list(told.read_hosts(scene))
    names = {duplicates.nodename(host) for host in read}
    known = [one.name for one in plan.loaded.documents if one.kind == "Node"]
    if not read or len(read) < len(scene.hosts):
        return  # One of those that were not read may be it.
    for document in plan.loaded.documents:
        node = plain.text(document.spec.get("node") or "") if document.kind == "BGPPeer" else ""
        if document.kind in ("BGPConfiguration", "FelixConfiguration") and document.name.startswith("node."):
            node = document.name.partition(".")[2]
        if node and node not in names and node not in known:
            path = ("spec", "node") if document.kind == "BGPPeer" else ("metadata", "name")
            line = document.line_of(*path)
            yield finding(
                "bgppeer_selects_nothing" if document.kind == "BGPPeer" else "preflight.object_for_nobody",
                "major",
                [],
                f"{document.file}:{line}: {document.about} is for the node {node}, and no host will have this name.",
                "Write the name as kubelet registers it: " + ", ".join(sorted(names)[:4]) + ".",
                title="An object is for a node that does not exist",
                where={"object": document.about, "field": ".".join(path), "file": document.file, "line": line},
                evidence=[seen("", document.file, f"node: {node}")],
            )


def _nothing_in_them(plan: Intent) -> Iterator[dict[str, Any]]:
    """Files without any object that Calico or this check knows: most likely the wrong ones were named."""
    if plan.loaded.files and not plan.loaded.documents and not plan.loaded.findings:
        files = ", ".join(plan.loaded.files[:4])
        yield finding(
            "preflight.objects_empty",
            "minor",
            [],
            f"No object is in {files}.",
            "Name the files with the objects in preflight_objects.",
            title="No planned object was found",
        )
