# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be said of a bundle as a whole: that it holds more than one cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._texts import calicoctl_nodes, kubectl_nodes, recognise

if TYPE_CHECKING:
    from collections.abc import Mapping

# Calico gives each cluster an id of its own (ClusterInformation).
_GUID = re.compile(r'"?clusterGUID"?: ?"?([0-9a-f]{32})')
_LARGEST_LOOKED_AT = 4 * 1024 * 1024


def remarks(cluster: Mapping[str, str]) -> list[str]:
    """Return sentences about the texts of the cluster, given by their paths."""
    by_guid: dict[str, str] = {}
    lists: list[tuple[str, frozenset[str]]] = []
    for path, text in cluster.items():
        for guid in _GUID.findall(text[:_LARGEST_LOOKED_AT]) if "clusterGUID" in text else ():
            by_guid.setdefault(guid, path)
        names = _listed(path, text)
        if names:
            lists.append((path, names))
    if len(by_guid) > 1:
        told = ", ".join(f"{guid[:8]}… in {path}" for guid, path in sorted(by_guid.items(), key=lambda pair: pair[1]))
        return [
            f"The bundle is of {len(by_guid)} clusters ({told}): their objects are mixed up, and findings may be, too."
        ]
    return _disjoint(lists)


def _disjoint(lists: list[tuple[str, frozenset[str]]]) -> list[str]:
    for index, (path, names) in enumerate(lists):
        for other, others in lists[index + 1 :]:
            if names.isdisjoint(others):
                return [f"{path} and {other} list other nodes: the bundle seems to be of two clusters, mixed up."]
    return []


def _listed(path: str, text: str) -> frozenset[str]:
    """Return the nodes of a whole list of nodes, none if a text is none."""
    if len(text) > _LARGEST_LOOKED_AT:
        return frozenset()
    kind = recognise.recognise(text, path)
    if kind == "nodes":
        return frozenset(one.name for one in kubectl_nodes.parse(text).value)
    if kind == "calicoctl-get-nodes":
        return frozenset(one.name for one in calicoctl_nodes.parse(text).value)
    return frozenset()
