# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is only counted: pods that are not Calico's, and Services' endpoints, by node.

Pages are taken one after the other and nothing of them is kept but the counts, so that the memory does not grow with a
cluster's workloads.
"""

from __future__ import annotations

from collections import Counter, OrderedDict

from .shapes import mapping, sequence, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# What is finished needs no network. The server leaves these out if it can.
RUNNING = ("fieldSelector", "status.phase!=Succeeded,status.phase!=Failed")
_FINISHED = frozenset(("Succeeded", "Failed", "Completed", "Error", "Evicted", "OOMKilled", "ContainerStatusUnknown"))
# What a Table has in an empty cell.
_NONE = "<none>"
# The slices of one Service follow each other closely, as lists are ordered by name.
_SERVICES_IN_MIND = 512


class Pods:
    """Counts pods with a network of their own by node. `addresses`: the nodes' own, which pods on theirs have."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._addresses = frozenset(addresses)
        self.begin()

    def begin(self) -> None:
        """Forget everything; the list begins anew."""
        self.by_node: Counter[str] = Counter()
        self.seen = 0

    def take(self, page: dict[str, Any]) -> None:
        """Count a page, a Table or a list of pods."""
        if page.get("kind") == "Table":
            self._take_table(page)
            return
        for item in sequence(page.get("items")):
            spec, status = mapping(mapping(item).get("spec")), mapping(mapping(item).get("status"))
            self._count(spec.get("nodeName"), status.get("podIP"), status.get("phase"), bool(spec.get("hostNetwork")))

    def _take_table(self, page: dict[str, Any]) -> None:
        columns = [word(mapping(one).get("name")) for one in sequence(page.get("columnDefinitions"))]
        if "Node" not in columns or "IP" not in columns:
            return
        node, address = columns.index("Node"), columns.index("IP")
        state = columns.index("Status") if "Status" in columns else -1
        for row in sequence(page.get("rows")):
            cells = sequence(mapping(row).get("cells"))
            if len(cells) == len(columns):
                self._count(cells[node], cells[address], cells[state] if state >= 0 else "", False)

    def _count(self, node: Any, address: Any, state: Any, on_host: bool) -> None:
        self.seen += 1
        if not isinstance(node, str) or node in ("", _NONE) or on_host:
            return
        # Without an address it has no network to lose yet.
        if address in (None, "", _NONE) or address in self._addresses:
            return
        if isinstance(state, str) and state in _FINISHED:
            return
        self.by_node[node] += 1

    def others(self, calico: Iterable[Any]) -> dict[str, int]:
        """Return the counts without these pods (whole or pruned objects), nodes without any left out."""
        counts = Counter(self.by_node)
        for pod in calico:
            spec, status = mapping(mapping(pod).get("spec")), mapping(mapping(pod).get("status"))
            address = status.get("podIP")
            if isinstance(address, str) and address not in self._addresses and status.get("phase") not in _FINISHED:
                counts[word(spec.get("nodeName"))] -= 1
        return {node: count for node, count in sorted(counts.items()) if count > 0 and node}


class Endpoints:
    """Counts, by node, the Services that have an endpoint there."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget everything; the list begins anew."""
        self.by_node: Counter[str] = Counter()
        self.seen = 0
        self._nodes_of: OrderedDict[str, set[str]] = OrderedDict()

    def take(self, page: dict[str, Any]) -> None:
        """Count a page of EndpointSlices."""
        for item in sequence(page.get("items")):
            meta = mapping(mapping(item).get("metadata"))
            service = word(mapping(meta.get("labels")).get("kubernetes.io/service-name"))
            if service:
                self.seen += 1
                self._count(f"{word(meta.get('namespace'))}/{service}", sequence(item.get("endpoints")))

    def _count(self, service: str, endpoints: list[Any]) -> None:
        nodes = {
            word(endpoint.get("nodeName"))
            for endpoint in endpoints
            if isinstance(endpoint, dict) and mapping(endpoint.get("conditions")).get("ready") is not False
        }
        known = self._nodes_of.pop(service, set())
        self.by_node.update(node for node in nodes - known if node)
        self._nodes_of[service] = known | nodes
        if len(self._nodes_of) > _SERVICES_IN_MIND:
            self._nodes_of.popitem(last=False)
