# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes and objects tell of an overlay, as a fuzzer's input: examined against one node that is well."""

from __future__ import annotations

import json
from typing import Any

_MAC, _END, _ADDRESS = "66c0932e562c", "10.200.0.10", "10.244.2.1"
_WELL = {"mac": _MAC, "vni": 4096, "port": 4789, "local": _END, "addresses": [_ADDRESS]}
_NODE = {"nodename": "", "nodename_source": "file"}


def overlay(data: bytes) -> Any:
    """Examine the devices, annotations and podCIDR that a JSON object tells of one node, or a node's facts."""
    try:
        told = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    node = told.get("calico_node")
    devices = node.get("overlay", {}).get("devices", {}) if isinstance(node, dict) and node.get("overlay") else told
    stale = {"vxlan.calico": {"ways": [f"10.200.0.77 {_MAC} {_ADDRESS} -"]}}
    parts: list[Any] = [devices, _digested(devices), {"vxlan.calico": {}}, stale]
    found = [_examined(told, part) for part in parts]
    json.dumps(found)
    return found


def _digested(devices: Any) -> Any:
    """The same, told as one with many ways does."""
    from ansible_collections.netmedic.calico.plugins.module_utils._facts.overlay_ways import digest

    if not isinstance(devices, dict):
        return None
    return {
        name: {**device, "ways": [], "ends": {"10.200.0": "10"}, "digests": digest(json.dumps(device))}
        for name, device in devices.items()
        if isinstance(device, dict)
    }


def _examined(told: dict[str, Any], devices: Any) -> Any:
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import (
        BlockAffinity,
        CalicoNode,
        Cluster,
        IPPool,
        KubeNode,
        Source,
    )
    from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
    from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node
    from ansible_collections.netmedic.calico.plugins.plugin_utils._overlay import ends, report

    given = told.get("annotations")
    registered = {
        "projectcalico.org/VXLANTunnelMACAddr": _MAC,
        "flannel.alpha.coreos.com/backend-type": "vxlan",
        "flannel.alpha.coreos.com/public-ip": _END,
        "flannel.alpha.coreos.com/backend-data": json.dumps(told)[:4096],
        **({str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}),
    }
    cidr = str(told.get("podCIDR", "10.244.2.0/24"))
    kube = {name: KubeNode(name, annotations=registered, pod_cidrs=(cidr,)) for name in ("node-1", "node-2")}
    calico = {"node-2": CalicoNode("node-2", ipv4=f"{_END}/24", vxlan_tunnel=_ADDRESS)}
    cluster = Cluster(
        reached=True,
        sources=(Source("blockaffinities", "ok"),),
        nodes=kube,
        calico_nodes=calico,
        pools=(IPPool("pool", "10.244.0.0/16", vxlan="Always"),),
        blocks=(BlockAffinity("node-2", "10.244.2.0/26", "confirmed"), BlockAffinity("node-2", cidr, "confirmed")),
    )
    nodes = {
        name: read_node(name, {"calico_node": {**_NODE, "nodename": name, "overlay": {"devices": found}}})
        for name, found in (("node-1", devices), ("node-2", {"vxlan.calico": _WELL}))
    }
    evidence = Evidence(nodes, cluster=cluster)
    return report.told(evidence), sorted(ends.ends(evidence, "flannel.1")), sorted(ends.vnis(evidence))
