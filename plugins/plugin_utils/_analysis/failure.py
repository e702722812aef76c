# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a report is bad enough to fail the play, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue.model import SEVERITIES
from .ranking import UNDETERMINED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NEVER = "never"


def failure(report: Mapping[str, Any], fail_on: str, incomplete: bool) -> str:
    """One sentence that says why the play fails, or '' where it does not.

    fail_on is the least severity that fails the play, or 'never'; incomplete also fails it where nodes were not seen.
    Findings that are waived, guesses, consequences, or no faults never fail it; that nothing was read of BGP does.
    """
    if fail_on != NEVER and fail_on not in SEVERITIES:
        raise ValueError(f"fail_on must be one of {', '.join((*SEVERITIES, NEVER))}, not {fail_on!r}")
    if fail_on != NEVER:
        grave = [
            item
            for item in report["findings"]
            if counts(item) and SEVERITIES.index(item["severity"]) >= SEVERITIES.index(fail_on)
        ]
        if grave:
            names = ", ".join(_named(item) for item in grave[:3])
            more = f" and {len(grave) - 3} more" if len(grave) > 3 else ""
            return f"{len(grave)} finding(s) of severity {fail_on} or above: {names}{more}."
    nodes = report["coverage"]["nodes"]
    if not nodes["expected"]:
        # Only a bundle tells of no node at all. Objects alone may show what is wrong.
        told = report["coverage"]["api"]["reached"] and not (incomplete and report["verdict"] == "undetermined")
        told = told and not _says_nothing(report["findings"])
        unread = first_unread(report)
        nothing = f"Nothing was read that tells of a node, so that nothing can be said{unread and f'; {unread}'}."
        return "" if told else nothing
    if not nodes["collected"]:
        return f"No node could be read, so that nothing can be said; the first one: {_first_reason(nodes)}."
    if not report["sessions"]["known"] and report["verdict"] == "undetermined":
        return f"BIRD could be asked on none of the nodes, so that nothing can be said about BGP. {_root_hint(nodes)}"
    if incomplete and (nodes["collected"] < nodes["expected"] or report["verdict"] == "undetermined"):
        return f"The evidence is incomplete: {nodes['collected']} of {nodes['expected']} nodes were read."
    api = report["coverage"]["api"]
    if incomplete and api["asked"] and not (api["reached"] and api["nodes"]):
        return f"The evidence is incomplete: the Kubernetes API was asked and told nothing. {api['why']}".strip()
    return ""


def first_unread(report: Mapping[str, Any]) -> str:
    """The first of what could not be read at all, '' if there is none: a wrong path, often; or that no host is a Linux
    machine."""
    ignored = report["coverage"]["nodes"].get("ignored")
    if ignored:
        return f"{ignored[0]['node']} is {ignored[0]['why']}"
    failed = [one for one in report["coverage"].get("sources", ()) if one["status"] == "failed" and one["detail"]]
    return f"{failed[0]['source']}: {failed[0]['detail'].rstrip('.')}" if failed else ""


def _root_hint(nodes: Mapping[str, Any]) -> str:
    return "Root is needed on the nodes: run again with --become." if nodes["without_root"] else "See the report above."


def _first_reason(nodes: Mapping[str, Any]) -> str:
    first = nodes["missing"][0]
    return f"{first['node']}, {first['why'].rstrip('.')}"


def _named(item: Mapping[str, Any]) -> str:
    return f"{item['fault']} on {', '.join(item['nodes'])}" if item["nodes"] else str(item["fault"])


def _says_nothing(findings: Sequence[Mapping[str, Any]]) -> bool:
    """All that is told is that nothing can be told."""
    return bool(findings) and all(one["fault"] == UNDETERMINED and one["severity"] == "info" for one in findings)


def counts(item: Mapping[str, Any]) -> bool:
    """The finding is one that may fail a play."""
    return item["role"] not in ("not_a_fault", "consequence") and not item["waived"] and not item.get("guess")
