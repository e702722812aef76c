# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's address management: a block per node, its affinity, and who has which address."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import TYPE_CHECKING

from ..names import CALICO_V1
from ..objects import Object, make, now

if TYPE_CHECKING:
    from ...topology import Node, Plan


def objects(plan: Plan, pods: list[Object]) -> list[Object]:
    """BlockAffinities, IPAMBlocks and IPAMHandles for the pods that have addresses of their own."""
    made = []
    for node in plan.nodes:
        for block in filter(None, (node.block, node.block6)):
            mine = [each for each in pods if is_in(each, block)]
            made += [_affinity(node, block), block_of(node, block, mine)]
            made += [handle_of(each, block) for each in mine]
    return made


def _address(pod: Object) -> str:
    return str((pod.get("status") or {}).get("podIP") or "")


def is_in(pod: Object, block: str) -> bool:
    """Whether a pod has an address of the block."""
    address = _address(pod)
    return bool(address) and ipaddress.ip_address(address) in ipaddress.ip_network(block)


def _name(block: str) -> str:
    return block.replace(".", "-").replace(":", "-").replace("/", "-")


def _affinity(node: Node, block: str) -> Object:
    spec = {"cidr": block, "deleted": "false", "node": node.name, "state": "confirmed", "type": "host"}
    return make(CALICO_V1, "BlockAffinity", f"{node.name}-{_name(block)}", spec=spec)


def _handle_id(pod: Object) -> str:
    seed = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    return f"k8s-pod-network.{hashlib.sha256(seed.encode()).hexdigest()}"


def block_of(node: Node, block: str, pods: list[Object]) -> Object:
    """The IPAMBlock of a node of which these pods have addresses."""
    network = ipaddress.ip_network(block)
    size = network.num_addresses
    allocations: list[int | None] = [None] * size
    attributes = []
    for number, pod in enumerate(pods):
        allocations[int(ipaddress.ip_address(_address(pod))) - int(network.network_address)] = number
        metadata = pod["metadata"]
        secondary = {"namespace": metadata["namespace"], "node": node.name, "pod": metadata["name"], "timestamp": now()}
        attributes.append({"handle_id": _handle_id(pod), "secondary": secondary})
    spec = {
        "affinity": f"host:{node.name}",
        "allocations": allocations,
        "attributes": attributes,
        "cidr": block,
        "deleted": False,
        "sequenceNumber": 1,
        "sequenceNumberForAllocation": {},
        "strictAffinity": False,
        "unallocated": [place for place, holder in enumerate(allocations) if holder is None],
    }
    return make(CALICO_V1, "IPAMBlock", _name(block), spec=spec)


def handle_of(pod: Object, block: str) -> Object:
    """The IPAMHandle of a pod."""
    spec = {"block": {block: 1}, "deleted": False, "handleID": _handle_id(pod)}
    return make(CALICO_V1, "IPAMHandle", _handle_id(pod), spec=spec)
