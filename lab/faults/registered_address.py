# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on record of a node's address is wrong in itself, or Kubernetes does not know one."""

from __future__ import annotations

from ..api_client import CALICO
from . import cluster, pairs
from .autodetection import registered
from .model import Case, Fault, Variant, listener

_ABSENT_HOST = 177
_POOL = f"{CALICO}/ippools/default-ipv4-ippool"


def _absent(case: Case) -> str:
    return case.node.subnet.host(_ABSENT_HOST)


def _set_by_hand(case: Case) -> None:
    """Autodetection is off, and somebody has mistyped the address."""
    cluster.set_variables(case, IP="none")
    cluster.restart_pod(case)
    cluster.annotate(case, case.target, IPv4Address=f"{_absent(case)}/{case.node.subnet.prefix_length}")


def _restore(case: Case) -> None:
    cluster.undo(case)
    cluster.restart_pod(case)


def _not_absent(case: Case) -> str:
    stored = registered(case)
    if stored.partition("/")[0] != _absent(case):
        return f"{case.target} is registered with {stored}"
    return cluster.pod_missing(case) or pairs.not_down(case, pairs.between(case.node, case.peers))


def _cut_mask(case: Case) -> None:
    cluster.patch(case, _POOL, {"spec": {"vxlanMode": "CrossSubnet"}})
    cluster.annotate(case, case.target, IPv4Address=f"{case.node.address}/32")


def _not_cut(case: Case) -> str:
    stored = registered(case)
    return "" if stored.endswith("/32") else f"{case.target} is registered with {stored}"


def _forget_internal(case: Case) -> None:
    path = f"{cluster.node(case.target)}/status"
    found = case.lab.api().get(cluster.node(case.target))["status"]["addresses"]
    kept = [each for each in found if each["type"] == "Hostname"]
    cluster.patch(case, path, {"status": {"addresses": kept}})


def _not_forgotten(case: Case) -> str:
    addresses = case.lab.api().get(cluster.node(case.target))["status"].get("addresses") or []
    return "still an InternalIP" if any(each["type"] == "InternalIP" for each in addresses) else ""


NOT_ON_HOST = Fault(
    id="node_ip_not_on_host",
    description="the node's address was set by hand to one that its host does not have",
    inject=_set_by_hand,
    heal=_restore,
    missing=_not_absent,
    default=listener,
    variants=(Variant("annotation", f"IP=none, and the annotation says host number {_ABSENT_HOST}"),),
)

MASK_32 = Fault(
    id="node_ip_mask_32",
    description="the node's address is on record without its subnet, and a pool's mode is CrossSubnet",
    inject=_cut_mask,
    heal=cluster.undo,
    missing=_not_cut,
    default=listener,
    variants=(Variant("annotation", "the annotation ends in /32"),),
    breaks_sessions=False,
)

NO_INTERNAL_IP = Fault(
    id="node_has_no_internal_ip",
    description="Kubernetes knows no InternalIP of the node",
    inject=_forget_internal,
    heal=cluster.undo,
    missing=_not_forgotten,
    default=listener,
    variants=(Variant("hostname-only", "its status has the Hostname only"),),
    breaks_sessions=False,
)
