# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's address management follows the pods: who has which address of which block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cluster import ipam

if TYPE_CHECKING:
    from .context import Context
    from .objects import Object

MANAGER = "calico-node"


class Addresses:
    """The IPAMBlocks of the lab's nodes, and the IPAMHandles of their pods."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def work(self) -> None:
        """Write the blocks whose holders have changed; a block that somebody has deleted stays so."""
        pods = self._context.list("pods")
        for node in self._context.lab.nodes:
            for cidr in filter(None, (node.block, node.block6)):
                mine = [each for each in pods if ipam.is_in(each, cidr)]
                wanted = ipam.block_of(node, cidr, mine)
                found = self._context.get("ipamblocks", "", wanted["metadata"]["name"])
                if found is not None and _holders(found) != _holders(wanted):
                    self._follow(found, wanted, cidr, mine)

    def _follow(self, found: Object, wanted: Object, cidr: str, pods: list[Object]) -> None:
        spec = {**wanted["spec"], "sequenceNumber": found["spec"].get("sequenceNumber", 0) + 1}
        self._context.update("ipamblocks", found, {"spec": spec}, MANAGER)
        handles = {each["metadata"]["name"]: each for each in (ipam.handle_of(pod, cidr) for pod in pods)}
        for name, handle in handles.items():
            if self._context.get("ipamhandles", "", name) is None:
                handle["apiVersion"] = self._context.kind("ipamhandles").api_version
                self._context.create("ipamhandles", handle, MANAGER)
        for name in set(_holders(found).values()) - handles.keys():
            gone = self._context.get("ipamhandles", "", name)
            if gone is not None:
                self._context.delete("ipamhandles", gone)


def _holders(block: Object) -> dict[int, str]:
    """Place in the block -> the handle of who holds it."""
    spec = block["spec"]
    attributes = spec.get("attributes") or []
    return {
        place: attributes[number]["handle_id"]
        for place, number in enumerate(spec.get("allocations") or [])
        if isinstance(number, int) and number < len(attributes)
    }
